-- Every file but those whose extension says that they are no audio.
SELECT path FROM files WHERE NOT never_audio;
