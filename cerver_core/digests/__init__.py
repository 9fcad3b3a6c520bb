"""Outlines of transcripts, drawn from their own words by rules: pure, deterministic, no model."""
