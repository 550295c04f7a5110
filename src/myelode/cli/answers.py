"""What commands do with an answer: files, a figure, and a summary as JSON or as a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myelode.cli.console import print_all, print_json, require_writable

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure
    from rich.console import RenderableType


def require_files(output: Path | None, plot: Path | None) -> None:
    """Refuse files that cannot be written, or figures of no known kind, before the work."""
    require_writable(output, plot)
    if plot is not None:
        from myelode.figures import require_figure_name

        require_figure_name(plot)


def write_files(
    found: xr.Dataset, output: Path | None, plot: Path | None, draw: Callable[[xr.Dataset], Figure]
) -> dict[str, str]:
    """Write each file that was asked for; gives their paths by what they are."""
    files = {"result": output, "plot": plot}
    if output is not None:
        from myelode.results import write_result

        write_result(found, output)
    if plot is not None:
        from myelode.figures import write_figure

        write_figure(draw(found), plot)
    return {name: str(path) for name, path in files.items() if path is not None}


def print_summary(
    summary: dict[str, Any], report: Iterable[RenderableType], quiet: bool, as_json: bool
) -> None:
    """The summary as JSON or as its report, if at all."""
    if as_json:
        print_json(summary)
    elif not quiet:
        print_all(report)


def closing_lines(summary: dict[str, Any]) -> Iterator[str]:
    """Whom a result is for, and which files were written."""
    yield str(summary["notice"])
    for kind, path in summary["files"].items():
        yield f"{kind.capitalize()}: {path}"
