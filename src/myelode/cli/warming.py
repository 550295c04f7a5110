"""`warm-up`: compile now what the first run of many simulations would wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from myelode.cli.console import print_all, print_json
from myelode.cli.options import JsonOption

if TYPE_CHECKING:
    from myelode.engines.warming import Warmth


def warm_up_command(as_json: JsonOption = False) -> None:
    """Compile the ensemble engine for this processor, so that its first run starts at once.

    It is kept on disk for each kind of processor; NUMBA_CACHE_DIR names another folder for it.
    Where its libraries are missing libRoadRunner does all runs, and that is no error.
    """
    from myelode.engines.warming import warm_up

    found = warm_up()
    if as_json:
        print_json(
            {
                "engine": "roadrunner" if found.reason else "ensemble",
                "reason": found.reason or None,
                "seconds": found.seconds,
                "compiled": found.compiled,
                "folder": None if found.folder is None else str(found.folder),
                "processor": found.processor or None,
            }
        )
    else:
        print_all([_line(found)])


def _line(found: Warmth) -> str:
    if found.reason:
        return f"libRoadRunner does all runs: {found.reason}"
    took = f"after {found.seconds:.1f} s: driver for {found.processor}"
    if found.folder is None:
        kept = "not kept, because no folder for it can be written: NUMBA_CACHE_DIR names one"
        return f"The ensemble engine is ready {took} compiled, but {kept}"
    done = "compiled and kept in" if found.compiled else "found in"
    return f"The ensemble engine is ready {took} {done} {found.folder}"


COMMANDS = (("warm-up", warm_up_command, "myelode warm-up"),)
