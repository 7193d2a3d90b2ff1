SELECT reason, count(*), min_by(source_path || ': ' || detail, source_path) FROM rejects GROUP BY reason ORDER BY reason;
