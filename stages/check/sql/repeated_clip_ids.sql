-- Clip ids that are not unique, and how often each occurs.
SELECT clip_id, count(*)
FROM read_parquet($parquet_file)
GROUP BY clip_id
HAVING count(*) > 1
ORDER BY clip_id
