"""`python -m roomctl` is the command `roomctl`."""

from __future__ import annotations

import sys

from roomctl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
