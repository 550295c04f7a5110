"""The part of a scenario file that describes instruments: what may stand under ``assays``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from myelode.assays.absorbance import NO_PATH
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


class Absorbance(BaseModel):
    """Light that the output absorbs: coefficient times path length times ``x``, and `blank`, in OD.

    There is no usual `path_length`: it is that of the cuvette, or of the liquid in a well.
    """

    model_config = STRICT

    coefficient: Quantity
    path_length: Quantity
    blank: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _has_path(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("path_length") is None:
            raise ValueError(NO_PATH)
        return data


class Assay(BaseModel):
    """An instrument that looks at an output: its signal, noise, the limits of its range, and what
    its readings are calibrated with.

    `signal` is arithmetic on ``x``, the output in its own unit, divided by `dilution`; `cv` is the
    share of the signal by which one replicate scatters, `sd` the scatter that even an empty sample
    has. With `depth` the signal is a share, of which so many reads are counted. `absorbance` stands
    in the place of `signal` and `unit`. `needs` says of which outputs how much must be there to be
    sampled.
    """

    model_config = STRICT

    title: str | None = None
    of: str
    signal: str = "x"
    unit: str | None = None
    absorbance: Absorbance | None = None
    needs: dict[str, Quantity] = {}
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

    @model_validator(mode="after")
    def _one_signal(self) -> Assay:
        for key in sorted(self.model_fields_set & {"signal", "unit"}):
            if self.absorbance is not None:
                raise ValueError(f"absorbance gives the signal and its unit: leave {key} out")
        return self

    def adds(self, name: str) -> tuple[str, ...]:
        """What the assay of that name adds to a result, each with and without noise."""
        shown = (name,) if self.calibrators is None else (name, name + CALIBRATED)
        return tuple(one for own in shown for one in (own, own + NOISELESS))


def assay_faults(
    assays: Mapping[str, Assay], named: Collection[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Assays under a name that something else has; `named` are those of endpoints and rules."""
    for name, item in assays.items():
        for own in item.adds(name):
            if own in named:
                yield ("assays", name), f"{own!r} is the name of an endpoint or rule too"
            if own != name and own in assays:
                yield ("assays", own), f"{own!r} is what the assay {name!r} gives already"
            if own in {assay.of for assay in assays.values()}:
                yield ("assays", name), f"{own!r} is an output already, which an assay looks at"


def require_calibrators(name: str, assays: Mapping[str, Assay]) -> None:
    """Raises ScenarioError for what one of the assays would read back if it had calibrators."""
    stem = name.removesuffix(NOISELESS)
    assay = stem.removesuffix(CALIBRATED)
    if assay != stem and assay in assays:
        raise ScenarioError(
            f"assay {assay!r} has no calibrators, so nothing can be read back: "
            "add calibrators: {levels: [...]}"
        )
