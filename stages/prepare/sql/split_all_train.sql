UPDATE clips SET split = 'train';
