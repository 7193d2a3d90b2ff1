-- For each of $mids (list of text), in the order given: its parents, in file order.
WITH asked AS (
    SELECT
        unnest($mids::VARCHAR[]) AS mid,
        unnest(range(len($mids::VARCHAR[]))) AS place
)
SELECT
    coalesce(
        list(parent.mid ORDER BY parent.position) FILTER (WHERE parent.mid IS NOT NULL), []
    ) AS parents
FROM asked
JOIN node AS child USING (mid)
LEFT JOIN edge ON edge.child = child.position
LEFT JOIN node AS parent ON parent.position = edge.parent
GROUP BY asked.place
ORDER BY asked.place;
