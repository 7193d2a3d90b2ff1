-- The recordings to train on and their clips, in the order of a hash that differs by split, so that
-- one choice says nothing of another.
SELECT recording_id, count(*)
FROM clips
WHERE split = 'train'
GROUP BY recording_id
ORDER BY sha256($split || ':' || recording_id);
