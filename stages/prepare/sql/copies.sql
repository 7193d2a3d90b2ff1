SELECT shard, list(clip_id) FROM copies GROUP BY shard ORDER BY shard;
