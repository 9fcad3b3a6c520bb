"""The `cerver` command: Cerver for a person at a terminal, and for their scripts."""
