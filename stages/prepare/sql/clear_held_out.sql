DELETE FROM held_out;
