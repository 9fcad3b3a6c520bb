"""`python -m cerver_core.cli` is the `cerver` command."""

import sys

from cerver_core.cli.main import main

sys.exit(main())
