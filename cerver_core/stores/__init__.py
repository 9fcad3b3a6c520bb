"""Where sessions and transcripts are kept: `base.py` is the contract, one folder or file per member."""
