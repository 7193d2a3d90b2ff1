SELECT source_path, clip_id, reason, detail FROM rejects ORDER BY ALL;
