-- How many clips each split has.
SELECT split, count(*)
FROM read_parquet($parquet_file)
GROUP BY split
ORDER BY split
