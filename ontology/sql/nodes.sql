-- Every node, in file order.
SELECT mid, name, description, restrictions
FROM node
ORDER BY position;
