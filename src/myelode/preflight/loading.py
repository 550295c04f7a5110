"""Load one model text with the real libraries, in a process that may die.

Run as a script, by path, so that it needs nothing of myelode: the text stands on stdin, the
arguments are the kind of text and the limits. A text that the libraries refuse is no matter
here, they say so again where it is loaded to be used; a text must not take them down.
"""

from __future__ import annotations

import sys

LARGEST_OUTPUT = 1_000_000


def main() -> None:
    kind, seconds, megabytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _limit(seconds, megabytes)
    text = sys.stdin.buffer.read().decode()
    try:
        _load(_to_sbml(text) if kind == "antimony" else text)
    except (RuntimeError, ValueError) as error:
        sys.stdout.write(str(error))


def _limit(seconds: int, megabytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    size = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _to_sbml(text: str) -> str:
    import antimony

    if antimony.loadAntimonyString(text) < 0:
        raise ValueError(antimony.getLastError())
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def _load(text: str) -> None:
    import libsbml
    import roadrunner

    libsbml.readSBMLFromString(text).checkConsistency()
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_CRITICAL)
    roadrunner.RoadRunner(text)


if __name__ == "__main__":
    main()
