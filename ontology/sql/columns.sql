-- Name and type of every column of every table (not view) of the opened database.
SELECT columns.table_name, columns.column_name, columns.data_type
FROM duckdb_columns() AS columns
JOIN duckdb_tables() AS tables USING (database_name, schema_name, table_name)
WHERE columns.database_name = current_database() AND NOT columns.internal
ORDER BY columns.table_name, columns.column_index;
