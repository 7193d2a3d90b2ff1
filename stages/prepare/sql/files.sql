-- Every file, in sorted order: by the bytes of the path in UTF-8.
SELECT path FROM files ORDER BY path;
