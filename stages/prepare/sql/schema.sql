-- Regular files below the source folder. never_audio: by the extension.
CREATE TABLE files (path VARCHAR, never_audio BOOLEAN);
-- What the layout names, in its order. place: the list and the line, or the path.
CREATE TABLE listed (
    seq BIGINT, clip_id VARCHAR, path VARCHAR, place VARCHAR, labels VARCHAR[], recording_id VARCHAR,
    fold INTEGER, split VARCHAR, start_seconds DOUBLE, end_seconds DOUBLE, source_row BIGINT
);
CREATE TABLE rejects (source_path VARCHAR, clip_id VARCHAR, reason VARCHAR, detail VARCHAR);
-- Ways to read the files' names, where clips are found by name; and what came of it.
CREATE TABLE file_names (path VARCHAR, recording_id VARCHAR, "start" DOUBLE, end_ DOUBLE, rank INTEGER);
CREATE TABLE candidates (seq BIGINT, path VARCHAR, rank INTEGER);
CREATE TABLE matched (seq BIGINT, path VARCHAR);
-- Files that the layout reads itself: neither clips nor rejects.
CREATE TABLE lists (path VARCHAR);
-- The ontology ids that a label stands for; NULL: nobody knows the label.
CREATE TABLE label_mids (label VARCHAR, mids VARCHAR[]);
CREATE TABLE held_out (recording_id VARCHAR);
CREATE TABLE label_order (label_index INTEGER, mid VARCHAR);
-- What became of each clip, as its shard's part tells; "shard" is the file's name.
CREATE TABLE parts (
    clip_id VARCHAR, "row" INTEGER, reason VARCHAR, detail VARCHAR, duration_seconds DOUBLE,
    source_sha256 VARCHAR, source_sample_rate INTEGER, peak_dbfs DOUBLE, rms_dbfs DOUBLE, dc_offset DOUBLE,
    clipped_share DOUBLE, audio_sha256 VARCHAR, encoded_bytes BIGINT, shard VARCHAR
);
