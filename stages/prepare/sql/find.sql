-- The listed clips whose file is there.
CREATE TABLE found AS
SELECT listed.* EXCLUDE (path), files.path
FROM listed
LEFT JOIN matched USING (seq)
JOIN files ON files.path = coalesce(listed.path, matched.path);
