-- The clips of the workspace.
CREATE TABLE taken AS
SELECT
    clips.*,
    results.* EXCLUDE (seq, clip_id, path, "row", reason, detail),
    row_number() OVER (PARTITION BY shard ORDER BY seq) - 1 AS "row"
FROM clips JOIN results USING (seq)
WHERE results.reason IS NULL AND seq NOT IN (SELECT seq FROM copies);
