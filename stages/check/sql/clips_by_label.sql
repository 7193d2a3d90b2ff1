-- Clips of each label by split. A clip that names a label twice counts once.
SELECT
    label_index,
    count(*) FILTER (split = 'train'),
    count(*) FILTER (split = 'valid'),
    count(*) FILTER (split = 'eval')
FROM (
    SELECT split, unnest(list_distinct(label_indices)) AS label_index
    FROM read_parquet($parquet_file)
)
GROUP BY label_index
