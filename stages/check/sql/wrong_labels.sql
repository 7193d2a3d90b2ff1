-- Clips whose label_indices are not ascending positions in the list of labels, or whose mids are
-- others than those at these positions. (A negative position would count from the list's end.)
SELECT clip_id, label_indices, mids
FROM read_parquet($parquet_file)
WHERE list_min(label_indices) < 0
    OR label_indices IS DISTINCT FROM list_sort(list_distinct(label_indices))
    OR mids IS DISTINCT FROM list_transform(label_indices, lambda place: ($label_mids)[place + 1])
ORDER BY clip_id
