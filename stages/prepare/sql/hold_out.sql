UPDATE clips SET split = $split
WHERE split = 'train' AND recording_id IN (SELECT recording_id FROM held_out);
