-- Add all edges at once, from two lists of equal length.
-- $parents, $children: list of node positions.
INSERT INTO edge
SELECT
    unnest($parents::INTEGER[]),
    unnest($children::INTEGER[]);
