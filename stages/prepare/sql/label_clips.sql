-- The clips that are there with their ontology ids; unknown_label: one that nobody knows.
CREATE TABLE labelled AS
WITH one AS (SELECT seq, unnest(labels) AS label FROM found),
resolved AS (
    SELECT
        seq,
        min(label) FILTER (WHERE mids IS NULL) AS unknown_label,
        list_sort(list_distinct(flatten(list(mids)))) AS mids
    FROM one LEFT JOIN label_mids USING (label)
    GROUP BY seq
)
SELECT found.* EXCLUDE (labels), len(labels) AS written, unknown_label, coalesce(mids, []) AS mids
FROM found LEFT JOIN resolved USING (seq);
INSERT INTO rejects
SELECT CASE WHEN source_row IS NULL THEN path ELSE place END, clip_id, 'unknown_label',
    place || ': ''' || unknown_label || ''' is no label of this data set'
FROM labelled WHERE unknown_label IS NOT NULL;
INSERT INTO rejects
SELECT CASE WHEN source_row IS NULL THEN path ELSE place END, clip_id, 'no_label',
    place || CASE WHEN written = 0 THEN ': it has no label' ELSE ': none of its labels is kept' END
FROM labelled WHERE unknown_label IS NULL AND len(mids) = 0;
DELETE FROM labelled WHERE unknown_label IS NOT NULL OR len(mids) = 0;
