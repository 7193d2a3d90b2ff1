-- For each of $mids (list of text), in the order given: the names on a shortest path from a root
-- down to it. Where several parents are on shortest paths, the first in the file is taken.
WITH RECURSIVE
-- Every node's depth, as in depths.sql.
reached (position, depth) USING KEY (position) AS (
    SELECT position, 0
    FROM node
    WHERE position NOT IN (SELECT child FROM edge)
    UNION
    SELECT DISTINCT edge.child, reached.depth + 1
    FROM reached
    JOIN edge ON edge.parent = reached.position
    WHERE edge.child NOT IN (SELECT position FROM recurring.reached)
),
-- The one parent that every node's path leads over.
chosen AS (
    SELECT edge.child, min(edge.parent) AS parent
    FROM edge
    JOIN reached AS above ON above.position = edge.parent
    JOIN reached AS below ON below.position = edge.child
    WHERE above.depth + 1 = below.depth
    GROUP BY edge.child
),
climbed (place, position, steps) AS (
    SELECT asked.place, node.position, 0
    FROM (
        SELECT
            unnest($mids::VARCHAR[]) AS mid,
            unnest(range(len($mids::VARCHAR[]))) AS place
    ) AS asked
    JOIN node USING (mid)
    UNION ALL
    SELECT climbed.place, chosen.parent, climbed.steps + 1
    FROM climbed
    JOIN chosen ON chosen.child = climbed.position
)
SELECT list(node.name ORDER BY climbed.steps DESC) AS names
FROM climbed
JOIN node USING (position)
GROUP BY climbed.place
ORDER BY climbed.place;
