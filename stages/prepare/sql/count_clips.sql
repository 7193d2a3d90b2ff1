SELECT count(*) FROM clips;
