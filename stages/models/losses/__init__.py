"""What a training makes small, one idea a file; `stages/train/objective.py` puts them together."""
