"""The command line. Each group of commands has a module; none loads a library before it needs it.

Exit codes: 0 fine, 1 a simulation failed, 2 bad input, 3 an expectation is not met,
130 interrupted.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

import myelode
from myelode.cli import (
    attribution,
    checking,
    cluster_jobs,
    exporting,
    fitting,
    interactions,
    looking,
    responses,
    running,
    sensitivities,
    sweep_results,
    sweeps,
    templates,
    turnover,
    warming,
)
from myelode.cli.console import print_error
from myelode.cli.sweep_runs import InterruptionError
from myelode.errors import MyelodeError, SimulationError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a stream says whose disk takes no more."""
# The base of typer's complaints about arguments, which is Click's own class in some versions only.
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="\b\nExample:\n  myelode run gamma_h2ax_washout --plot gamma_h2ax.png",
)
for module in (
    looking, checking, running, responses, attribution, sensitivities, turnover, interactions,
    fitting, templates, exporting, warming,
):  # fmt: skip
    for name, command, example in module.COMMANDS:
        app.command(name, epilog=f"\b\nExample:\n  {example}")(command)

sweep_app = typer.Typer(rich_markup_mode=None)
for module in (sweeps, cluster_jobs, sweep_results):
    for name, command, example in module.COMMANDS:
        sweep_app.command(name, epilog=f"\b\nExample:\n  {example}")(command)
app.add_typer(sweep_app, name="sweep")


@sweep_app.callback(invoke_without_command=True)
def describe_sweeps(context: typer.Context) -> None:
    """Run a scenario at many points, in a store that can be resumed."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.callback(invoke_without_command=True)
def describe(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Simulate how multiple-myeloma cells, tumours and patients escape three classes of drug.

    For research and teaching only; no advice for a real person.
    """
    if version:
        typer.echo(f"myelode {myelode.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; errors become one line or one JSON object."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    _prepare_process()
    try:
        code = app(args=given, prog_name="myelode", standalone_mode=False)
        sys.stdout.flush()
    except SimulationError as error:
        more = {"time": error.time, "state": error.state, "reason": error.reason}
        print_error(type(error).__name__, str(error), as_json, **(more if as_json else {}))
        return FAILED
    except MyelodeError as error:
        print_error(type(error).__name__, str(error), as_json)
        return BAD_INPUT
    except _UsageError as error:
        print_error("UsageError", error.format_message(), as_json)
        return BAD_INPUT
    except InterruptionError as stop:
        print_error("Interrupted", str(stop), as_json, **(stop.summary if as_json else {}))
        return stop.leave()
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as problem:
        return _without_output(problem)
    if code == INTERRUPTED:
        print_error("Interrupted", "interrupted", as_json)
    return int(code or 0)


def _without_output(problem: OSError) -> int:
    """The exit code where our output has gone; anything else is raised again.

    Whoever read it has closed it, which needs no word, or its disk is full.
    """
    if problem.errno not in (errno.EPIPE, *_FULL) or problem.filename is not None:
        raise problem
    # Python must not try again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if problem.errno in _FULL:
        with suppress(OSError):
            print_error("OutputError", f"the output cannot be written: {problem.strerror}", False)
    return FAILED


def _prepare_process() -> None:
    """Let the integrator report through our errors only, and streams show ? for strange letters.

    A stream that is closed (``>&-``) takes what it is given and forgets it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for level in ("ERROR", "WARNING"):
        os.environ.setdefault(f"SUNLOGGER_{level}_FILENAME", os.devnull)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
