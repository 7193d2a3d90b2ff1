-- Every label of a clip that is there, as the data set writes it, and one place where it stands.
SELECT label, min_by(place, seq) AS place
FROM (SELECT unnest(labels) AS label, place, seq FROM found)
GROUP BY label
ORDER BY label;
