"""The command line may import the ontology's errors without waiting for DuckDB."""

import subprocess
import sys


def test_errors_import_neither_duckdb_nor_numpy():
    code = "import sys, ontology, ontology.errors; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert "ontology.errors" in loaded
    assert not {"duckdb", "_duckdb", "numpy"} & set(loaded)
