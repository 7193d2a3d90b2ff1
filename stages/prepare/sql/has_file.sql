SELECT 1 FROM files WHERE path = $path LIMIT 1;
