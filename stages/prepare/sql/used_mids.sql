SELECT DISTINCT unnest(mids) AS mid FROM taken ORDER BY mid;
