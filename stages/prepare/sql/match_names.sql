-- The files whose names may be read as a listed segment, and for every segment the best of them.
-- A number in a name is in seconds, or in milliseconds; one name uses one unit.
INSERT INTO candidates
SELECT listed.seq, file_names.path, file_names.rank
FROM listed
JOIN file_names USING (recording_id)
WHERE listed.path IS NULL AND (
    file_names."start" IS NULL
    OR (abs(file_names."start" - start_seconds) < 0.001
        AND (end_ IS NULL OR abs(end_ - end_seconds) < 0.001))
    OR (abs(file_names."start" - 1000 * start_seconds) < 1
        AND (end_ IS NULL OR abs(end_ - 1000 * end_seconds) < 1))
);
INSERT INTO matched
SELECT seq, path FROM candidates
QUALIFY row_number() OVER (PARTITION BY seq ORDER BY rank, path) = 1;
