"""`export`: hand a model or scenario to another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from myelode.cli.console import SettingsOption, print_all, require_writable


def export_command(
    name: Annotated[str, typer.Argument(metavar="MODEL|SCENARIO", help="A name or a path.")],
    to: Annotated[
        str,
        typer.Option("--to", metavar="FORMAT", help="sbml, antimony, sedml, omex, latex or sheet."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="What to write.")],
    settings: SettingsOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Write a model or scenario in another format."""
    from myelode.exports import export

    require_writable(output)
    export(name, to, output, settings or [])
    if not quiet:
        print_all([f"Written: {output}"])


COMMANDS = (("export", export_command, "myelode export melflufen --to sbml -o melflufen.xml"),)
