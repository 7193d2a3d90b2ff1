-- Files that are no clip's: the layout reads them itself, or they are rejects.
CREATE TABLE others AS
SELECT path, never_audio FROM files
WHERE path NOT IN (SELECT path FROM found)
  AND path NOT IN (SELECT path FROM lists)
  AND path NOT IN (
      -- But for rejects of lines, LIST:LINE: a file may be called so too.
      SELECT source_path FROM rejects
      ANTI JOIN lists ON starts_with(rejects.source_path, lists.path || ':')
  );
INSERT INTO rejects
SELECT path, NULL, 'not_audio', regexp_extract(path, '\.[^/.]*$') || ' is no extension of audio'
FROM others WHERE never_audio;
INSERT INTO rejects
SELECT path, NULL, 'duplicate_id', 'another file with this name was taken'
FROM others WHERE NOT never_audio AND path IN (SELECT path FROM candidates);
INSERT INTO rejects
SELECT path, NULL, 'not_listed', 'no list of the data set names it'
FROM others WHERE NOT never_audio AND path NOT IN (SELECT path FROM candidates);
