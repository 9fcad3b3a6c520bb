"""Ratios measured side by side: `python -m benchmarks` prints a table and writes JSON."""
