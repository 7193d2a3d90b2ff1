-- Length of the shortest undirected path between any two of $mids (list of text) that have one.
-- from_label and to_label count from 0 in $mids.
--
-- Breadth first from all labels at once. A neighbour of a node at distance d from the start is at
-- d - 1, d or d + 1, so a round need only leave out what the last two rounds found: beside the
-- nodes that it finds (is_new) it hands on those of the round before. To look through everything
-- found so far (USING KEY) gives the same and takes four times as long.
WITH RECURSIVE
asked AS MATERIALIZED (
    SELECT wanted.place, node.position
    FROM (
        SELECT
            unnest($mids::VARCHAR[]) AS mid,
            unnest(range(len($mids::VARCHAR[]))) AS place
    ) AS wanted
    JOIN node USING (mid)
),
link AS MATERIALIZED (
    SELECT parent AS here, child AS there FROM edge
    UNION ALL
    SELECT child, parent FROM edge
),
reached (start, position, distance, is_new) AS (
    SELECT DISTINCT position, position, 0::BIGINT, true
    FROM asked
    UNION ALL
    (
        SELECT DISTINCT reached.start, link.there, reached.distance + 1, true
        FROM reached
        JOIN link ON link.here = reached.position
        WHERE reached.is_new AND NOT EXISTS (
            FROM reached AS seen
            WHERE seen.start = reached.start AND seen.position = link.there
        )
        UNION ALL
        SELECT start, position, distance, false
        FROM reached
        WHERE is_new
    )
)
SELECT
    from_label.place AS from_label,
    to_label.place AS to_label,
    reached.distance AS distance
FROM reached
JOIN asked AS from_label ON from_label.position = reached.start
JOIN asked AS to_label ON to_label.position = reached.position
WHERE reached.is_new;
