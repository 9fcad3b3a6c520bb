"""Kinds of compute: `base.py` is the contract, one file or folder per member."""
