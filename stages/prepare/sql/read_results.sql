-- What became of every clip.
CREATE TABLE results AS
SELECT clips.seq, clips.path, parts.* FROM parts JOIN clips USING (clip_id);
