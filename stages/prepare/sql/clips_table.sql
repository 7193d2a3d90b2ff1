-- The rows of clips.parquet, each clip's labels in label order.
WITH ordered AS (
    SELECT seq, list(mid ORDER BY label_index) AS mids, list(label_index ORDER BY label_index) AS label_indices
    FROM (SELECT seq, unnest(mids) AS mid FROM taken) JOIN label_order USING (mid)
    GROUP BY seq
)
SELECT
    clip_id, split, fold, recording_id, ordered.mids, label_indices, duration_seconds,
    path || coalesce(':' || source_row, '') AS source_path, start_seconds, end_seconds,
    source_sha256, source_sample_rate, peak_dbfs, rms_dbfs, dc_offset, clipped_share,
    shard, "row", audio_sha256
FROM taken JOIN ordered USING (seq)
ORDER BY seq;
