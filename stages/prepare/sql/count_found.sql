SELECT count(*) FROM found;
