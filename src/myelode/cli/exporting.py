"""`export`: hand a model or scenario to another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from myelode.cli.console import print_all, require_writable
from myelode.cli.options import NameArgument, QuietOption, SettingsOption


def export_command(
    name: NameArgument,
    to: Annotated[
        str,
        typer.Option("--to", metavar="FORMAT", help="sbml, antimony, sedml, omex, latex or sheet."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="What to write.")],
    settings: SettingsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write a model or scenario in another format."""
    from myelode.exports import export

    require_writable(output)
    export(name, to, output, settings or [])
    if not quiet:
        print_all([f"Written: {output}"])


COMMANDS = (("export", export_command, "myelode export melflufen --to sbml -o melflufen.xml"),)
