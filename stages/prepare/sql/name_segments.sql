-- Several segments of one recording need ids of their own: that of the recording, and where the
-- segment begins, in milliseconds.
UPDATE listed
SET clip_id = clip_id || '_' || CAST(round(start_seconds * 1000) AS BIGINT)
WHERE recording_id IN (
    SELECT recording_id FROM listed GROUP BY recording_id HAVING count(DISTINCT start_seconds) > 1
);
