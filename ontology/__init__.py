"""An ontology of sounds: read it from JSON, keep it in a DuckDB file, ask it questions.

`build` writes the file and `database` opens it; `nodes`, `ancestry`, `paths` and `distances` ask.
Each question is one function over one file of sql/.
"""
