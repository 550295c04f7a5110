"""``python -m myelode``: the command line where no path leads to it, as in a cluster's jobs."""

import sys

from myelode.cli import main

if __name__ == "__main__":
    sys.exit(main())
