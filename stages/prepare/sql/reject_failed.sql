INSERT INTO rejects
SELECT path || coalesce(':' || source_row, ''), clip_id, results.reason, results.detail
FROM results JOIN clips USING (seq, clip_id, path)
WHERE results.reason IS NOT NULL;
-- The same bytes, and the same part of them: the first in the data set's order is kept.
CREATE TABLE copies AS
SELECT seq, clip_id, path, shard, first_value(path) OVER same AS first_path
FROM results
WHERE reason IS NULL
WINDOW same AS (PARTITION BY source_sha256, audio_sha256 ORDER BY seq)
QUALIFY row_number() OVER same > 1;
INSERT INTO rejects
SELECT path || coalesce(':' || source_row, ''), clip_id, 'duplicate_content', 'the same bytes as ' || first_path
FROM copies JOIN clips USING (seq, clip_id, path);
