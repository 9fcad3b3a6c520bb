"""Documents of other places and times as new transcripts: parsing only; the engine stores what comes out."""
