-- Edges from the nearest root to every node, in file order.
-- Breadth first: each round goes one edge down from the nodes that the last round found, and keeps
-- the first depth at which a node is met. `recurring.reached` is all that was found so far.
WITH RECURSIVE reached (position, depth) USING KEY (position) AS (
    SELECT position, 0
    FROM node
    WHERE position NOT IN (SELECT child FROM edge)
    UNION
    SELECT DISTINCT edge.child, reached.depth + 1
    FROM reached
    JOIN edge ON edge.parent = reached.position
    WHERE edge.child NOT IN (SELECT position FROM recurring.reached)
)
SELECT node.mid, reached.depth
FROM reached
JOIN node USING (position)
ORDER BY position;
