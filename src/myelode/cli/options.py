"""Options and arguments that several commands have, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A shipped name or a file.")
]
NameArgument = Annotated[str, typer.Argument(metavar="MODEL|SCENARIO", help="A name or a path.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Replace a base value (k_FA='0.1 1/h'), a final value (final.k_FA=...) "
        "or a place in the scenario (regimen.pulse.to='2 uM'); repeat for more.",
    ),
]
EngineOption = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="auto, roadrunner, ensemble or scipy.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write all numbers (netCDF)."),
]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw the figure (png, svg, pdf).")
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="FILE", help="Show these readings (csv) in the figure."),
]
DrawsOption = Annotated[
    int | None,
    typer.Option(
        "--uncertainty",
        metavar="N",
        min=1,
        help="Draw the uncertain numbers N times; results get intervals.",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="The seed of the draws.")]
ArmOption = Annotated[str | None, typer.Option("--arm", metavar="NAME", help="In this arm.")]
CompoundOption = Annotated[
    str | None, typer.Option("--compound", metavar="NAME", help="With this compound.")
]
PerturbationOption = Annotated[
    str | None, typer.Option("--perturbation", metavar="NAME", help="In this perturbation.")
]


def listed(text: str | None) -> list[str] | None:
    """The names in an option that is a list with commas; None where it is not given."""
    return None if text is None else [name.strip() for name in text.split(",")]
