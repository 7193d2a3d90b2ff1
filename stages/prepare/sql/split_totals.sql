SELECT split, count(*), sum(duration_seconds ORDER BY seq) / 3600, sum(len(mids)) / count(*)
FROM taken GROUP BY split;
