"""Let the libraries load a stranger's text where a crash or a hang costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import IO

from myelode.errors import ModelError
from myelode.preflight import loading

_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
_NOT_RUN = 1
"""How Python ends when `loading` itself fails, by a library that is not installed for example."""

_OUT_OF_MEMORY = ("bad_alloc", "MemoryError", "out of memory", "Cannot allocate memory")


def check_in_subprocess(text: str, where: str, seconds: int = 20, megabytes: int = 1024) -> None:
    """Load a text with Antimony, libSBML and libRoadRunner in a process of its own.

    The text goes through stdin, never as a path; the process runs in an empty folder with
    little of the environment and, where the system allows, with limits of time, memory and
    file size. Run `check_sbml` or `check_antimony` first: they say what is wrong, and they
    refuse what would make the libraries read other files.

    Parameters
    ----------
    text : SBML if it starts with `<`, else Antimony.

    Raises
    ------
    ModelError : the libraries crash, take too long or need too much memory. That they refuse
        the text is not reported here.
    """
    kind = "sbml" if text.lstrip().startswith("<") else "antimony"
    limits = [str(seconds), str(megabytes)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        try:
            status = _run([loading.__file__, kind, *limits], text, folder, output, seconds)
        except subprocess.TimeoutExpired:
            raise ModelError(f"{where}: {_too_slow(seconds)}") from None
        output.seek(0)
        said = output.read().decode(errors="replace")
    problem = _problem(status, said, seconds, megabytes)
    if problem:
        raise ModelError(f"{where}: {problem}")


def _problem(status: int, said: str, seconds: int, megabytes: int) -> str:
    """What went wrong, from how the process ended and what it printed; mostly nothing."""
    if any(sign in said for sign in _OUT_OF_MEMORY):
        return f"the file makes the SBML libraries use more than {megabytes} MB"
    if status == 0:
        return ""
    if status == -getattr(signal, "SIGXCPU", 0):
        return _too_slow(seconds)
    if status == _NOT_RUN:
        return f"the SBML libraries do not start: {said.strip().splitlines()[-1][:200]}"
    return "the file makes the SBML libraries crash"


def _run(arguments: list[str], text: str, folder: str, output: IO[bytes], seconds: int) -> int:
    done = subprocess.run(
        [sys.executable, "-I", *arguments],
        input=text.encode(errors="replace"),
        stdout=output,
        stderr=output,
        cwd=folder,
        env=_environment(folder),
        timeout=seconds,
        check=False,
    )
    return done.returncode


def _environment(folder: str) -> dict[str, str]:
    """No proxies, no user settings, one thread: each thread reserves memory of its own."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"HOME": folder, "TMPDIR": folder, "OPENBLAS_NUM_THREADS": "1"}


def _too_slow(seconds: int) -> str:
    return f"the file makes the SBML libraries take longer than {seconds} s"
