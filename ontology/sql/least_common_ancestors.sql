-- The lowest nodes that are $first or above it, and $second or above it; in file order.
WITH RECURSIVE
above (start, position) AS (
    SELECT position, position
    FROM node
    WHERE mid IN ($first, $second)
    UNION
    SELECT above.start, edge.parent
    FROM above
    JOIN edge ON edge.child = above.position
),
common AS (
    SELECT position
    FROM above
    GROUP BY position
    -- $first and $second may be the same node, which is then one start, not two.
    HAVING count(*) = (SELECT count(*) FROM node WHERE mid IN ($first, $second))
)
SELECT node.mid
FROM common
JOIN node USING (position)
-- Everything between two common nodes is common too: to look one edge down is enough.
WHERE NOT EXISTS (
    FROM edge
    JOIN common AS below ON below.position = edge.child
    WHERE edge.parent = common.position
)
ORDER BY position;
