"""Where secrets come from: `base.py` is the contract, one file per backend. Values live for one call."""
