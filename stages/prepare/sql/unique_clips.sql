-- Of rows with one id the first counts, then of rows with one file, or one part of it, the first.
CREATE TABLE twins AS
WITH by_id AS (
    SELECT
        seq, clip_id, path, place, source_row, start_seconds, end_seconds,
        first_value(path) OVER ids AS first_path,
        row_number() OVER ids AS nth_of_id
    FROM labelled
    WINDOW ids AS (PARTITION BY clip_id ORDER BY seq)
)
SELECT *, row_number() OVER (
    PARTITION BY path, start_seconds, end_seconds, source_row, nth_of_id > 1 ORDER BY seq
) AS nth_of_part
FROM by_id
QUALIFY nth_of_id > 1 OR nth_of_part > 1;
INSERT INTO rejects
SELECT
    CASE WHEN path = first_path OR nth_of_part > 1 OR source_row IS NOT NULL THEN place ELSE path END,
    clip_id,
    'duplicate_id',
    CASE WHEN nth_of_id > 1 THEN first_path || ' has the same id' ELSE path || ' was taken before' END
FROM twins;
CREATE TABLE clips AS SELECT * EXCLUDE (unknown_label, written) FROM labelled ANTI JOIN twins USING (seq);
DROP TABLE labelled;
DROP TABLE found;
DROP TABLE listed;
