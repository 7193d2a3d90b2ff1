UPDATE clips SET split = CASE WHEN list_contains($eval_folds, fold) THEN 'eval' ELSE 'train' END;
