-- What clips.parquet says of every row of every shard, in the order of the shards.
SELECT shard, "row", clip_id, audio_sha256, duration_seconds
FROM read_parquet($parquet_file)
ORDER BY shard, "row", clip_id
