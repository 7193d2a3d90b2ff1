-- Add all nodes at once, from lists of equal length in file order.
-- $mids, $names, $descriptions: list of text; $restrictions: list of lists of text.
INSERT INTO node
SELECT
    unnest(range(len($mids::VARCHAR[]))),
    unnest($mids::VARCHAR[]),
    unnest($names::VARCHAR[]),
    unnest($descriptions::VARCHAR[]),
    unnest($restrictions::VARCHAR[][]);
