SELECT
    coalesce(sum(encoded_bytes), 0)::BIGINT,
    count(*) FILTER (WHERE peak_dbfs IS NULL),
    count(*) FILTER (WHERE clipped_share > $clipped_share),
    count(*) FILTER (WHERE abs(dc_offset) > $dc_offset)
FROM taken;
