"""What of the machine this process may use."""

from __future__ import annotations

import os


def processors() -> int:
    """How many processor cores we may use: fewer than there are, where a scheduler shares them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
