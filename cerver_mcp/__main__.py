"""`python -m cerver_mcp` is the `cerver-mcp` command."""

import sys

from cerver_mcp.front import main

if __name__ == "__main__":
    sys.exit(main())
