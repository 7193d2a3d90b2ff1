-- All nodes above the node $mid, in file order. UNION drops what was reached by another way
-- before, so that a node with several parents is climbed from once.
WITH RECURSIVE above (position) AS (
    SELECT edge.parent
    FROM node
    JOIN edge ON edge.child = node.position
    WHERE node.mid = $mid
    UNION
    SELECT edge.parent
    FROM above
    JOIN edge ON edge.child = above.position
)
SELECT node.mid
FROM above
JOIN node USING (position)
ORDER BY position;
