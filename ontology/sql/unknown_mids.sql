-- Those of $mids (list of text) that are no node, in the order given.
WITH asked AS (
    SELECT
        unnest($mids::VARCHAR[]) AS mid,
        unnest(range(len($mids::VARCHAR[]))) AS place
)
SELECT asked.mid
FROM asked
ANTI JOIN node USING (mid)
ORDER BY asked.place;
