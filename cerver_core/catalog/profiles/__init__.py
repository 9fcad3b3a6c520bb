"""One file per provider: its facts, each with its source and date; no opinion."""
