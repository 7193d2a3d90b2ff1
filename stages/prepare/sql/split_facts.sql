-- How many clips there are, how many of them the data set has put into a split, and the folds.
SELECT count(*), count(split), coalesce(list_sort(list(DISTINCT fold) FILTER (WHERE fold IS NOT NULL)), [])
FROM clips;
