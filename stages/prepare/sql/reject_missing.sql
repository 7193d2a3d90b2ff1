INSERT INTO rejects
SELECT place, clip_id, 'missing', coalesce('no file ' || path, 'no file has this name')
FROM listed
ANTI JOIN found USING (seq);
