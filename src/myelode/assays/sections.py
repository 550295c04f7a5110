"""The part of a scenario file that describes instruments: what may stand under ``assays``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from myelode.errors import ScenarioError
from myelode.regimens.steps import STRICT, Quantity

NOISELESS, CALIBRATED = "_noiseless", "_calibrated"
"""Endings of the names that an assay adds to the result."""
FITS = Literal["proportional", "linear", "log_log", "four_parameter"]
FIT_PARAMETERS: Mapping[str, int] = {
    "proportional": 1, "linear": 2, "log_log": 2, "four_parameter": 4,
}  # fmt: skip
"""The forms of calibration curves, and how many calibrators each needs at least."""
MOST_REPLICATES = 1000
MOST_SCATTER = 10.0
MOST_READS = 10_000_000


class Calibrators(BaseModel):
    """Known levels that the instrument reads too, and the curve that is fitted to their signals.

    `unit` is that of the levels, and of what is read back; `signal` is arithmetic on ``x``, a level
    in that unit, and without it calibrators are treated and seen as the samples are.
    """

    model_config = STRICT

    levels: Annotated[list[Quantity], Field(min_length=1)]
    fit: FITS = "linear"
    signal: str | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _enough(self) -> Calibrators:
        if len(self.levels) < (needed := FIT_PARAMETERS[self.fit]):
            raise ValueError(f"{self.fit} needs {needed} levels or more, not {len(self.levels)}")
        return self


class Assay(BaseModel):
    """An instrument that looks at an output: its signal, noise, the limits of its range, and what
    its readings are calibrated with.

    `signal` is arithmetic on ``x``, the output in its own unit, divided by `dilution`; `cv` is the
    share of the signal by which one replicate scatters, `sd` the scatter that even an empty sample
    has. With `depth` the signal is a share, of which so many reads are counted.
    """

    model_config = STRICT

    title: str | None = None
    of: str
    signal: str = "x"
    unit: str | None = None
    cv: Annotated[float, Field(ge=0, le=MOST_SCATTER, allow_inf_nan=False)] = 0.0
    sd: Quantity | None = None
    detection_limit: Quantity | None = None
    upper_limit: Quantity | None = None
    replicates: Annotated[int, Field(ge=1, le=MOST_REPLICATES)] = 1
    dilution: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    depth: Annotated[int | None, Field(ge=1, le=MOST_READS)] = None
    calibrators: Calibrators | None = None

    @model_validator(mode="after")
    def _one_noise(self) -> Assay:
        if self.depth is not None and (self.cv or self.sd is not None):
            raise ValueError("an assay scatters by depth, or by cv and sd, not both")
        return self

    def adds(self, name: str) -> tuple[str, ...]:
        """What the assay of that name adds to a result, each with and without noise."""
        shown = (name,) if self.calibrators is None else (name, name + CALIBRATED)
        return tuple(one for own in shown for one in (own, own + NOISELESS))


def require_calibrators(name: str, assays: Mapping[str, Assay]) -> None:
    """Raises ScenarioError for what one of the assays would read back if it had calibrators."""
    stem = name.removesuffix(NOISELESS)
    assay = stem.removesuffix(CALIBRATED)
    if assay != stem and assay in assays:
        raise ScenarioError(
            f"assay {assay!r} has no calibrators, so nothing can be read back: "
            "add calibrators: {levels: [...]}"
        )
