SELECT
    mid,
    count(*) FILTER (WHERE split = 'train'),
    count(*) FILTER (WHERE split = 'valid'),
    count(*) FILTER (WHERE split = 'eval')
FROM (SELECT unnest(mids) AS mid, split FROM taken)
GROUP BY mid;
