"""What runs inside a sandbox: standard library only, sent over as code, so that nothing of Cerver is mounted there.

The modules here run in interpreters that are not ours (Python 3.9 and later), never in the host process, except
`tree`, which both sides use.
"""
