SELECT clip_id, path, source_row, start_seconds, end_seconds FROM clips ORDER BY seq;
