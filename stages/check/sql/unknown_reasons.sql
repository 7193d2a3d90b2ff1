-- Reject reasons that are none of the known ones, how often each occurs, and one source path.
SELECT reason, count(*), min(source_path)
FROM read_parquet($parquet_file)
WHERE NOT list_contains($known, reason)
GROUP BY reason
ORDER BY reason
