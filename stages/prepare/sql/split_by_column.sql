UPDATE clips SET split = 'train' WHERE split IS NULL;
