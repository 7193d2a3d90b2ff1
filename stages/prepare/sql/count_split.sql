SELECT count(*) FROM clips WHERE split = $split;
