"""Facts about providers, each with its source and date; no opinion, no I/O."""
