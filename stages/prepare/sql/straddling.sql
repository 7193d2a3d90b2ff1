-- How many recordings have clips in more than one split.
SELECT count(*) FROM (
    SELECT recording_id FROM clips GROUP BY recording_id HAVING count(DISTINCT split) > 1
);
