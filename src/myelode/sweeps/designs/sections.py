"""The design of a sweep file: axes, the spaces that they span, and blocks of points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from myelode.regimens.steps import STRICT, Factor, Quantity

MOST_POINTS = 10**9
"""Points of the largest sweep."""
LARGEST_SEED = 2**63 - 1

Column = Literal["uncertainty", "between_lines", "between_patients"]
"""The columns of a parameter table that state a spread."""


class Span(BaseModel):
    """All values from one to another, evenly spread or evenly on a logarithmic scale."""

    model_config = STRICT

    from_: Annotated[Quantity, Field(alias="from")]
    to: Quantity
    spacing: Literal["linear", "log"] = "linear"


class Range(Span):
    """So many values from one to another, both included."""

    points: Annotated[int, Field(ge=2, le=MOST_POINTS)]


class Spread(BaseModel):
    """The distribution that a column of the parameter table states."""

    model_config = STRICT

    spread: Column


def _form(value: Any) -> str | None:
    """What an axis of a space is written as: listed values, a spread, or a span."""
    if isinstance(value, list):
        return "<list>"
    if isinstance(value, dict):
        return "<spread>" if "spread" in value else "<span>"
    return None


def _grid_form(value: Any) -> str | None:
    """What an axis of a grid is written as: listed values or a range."""
    return "<range>" if isinstance(value, dict) else _form(value)


def _a_spread_fits_no_grid(value: Any) -> Any:
    if isinstance(value, dict) and "spread" in value:
        raise ValueError("a spread is for random, latin_hypercube or sobol: a grid has no place")
    return value


Listed = Annotated[list[Quantity], Field(min_length=1)]
_ListedTag = Annotated[Listed, Tag("<list>")]
_NO_AXIS = "an axis lists its values, or has from, to and points"
_NO_SPAN = "an axis lists its values, or has from and to, or the name of a spread"
GridAxis = Annotated[
    Annotated[
        _ListedTag | Annotated[Range, Tag("<range>")],
        Discriminator(_grid_form, custom_error_type="no_axis", custom_error_message=_NO_AXIS),
    ],
    BeforeValidator(_a_spread_fits_no_grid),
]
"""Values of one axis of a grid."""
SpaceAxis = Annotated[
    _ListedTag | Annotated[Span, Tag("<span>")] | Annotated[Spread, Tag("<spread>")],
    Discriminator(_form, custom_error_type="no_span", custom_error_message=_NO_SPAN),
]
"""Values of one axis from which points are drawn."""


def _over_form(value: Any) -> str | None:
    """What points are drawn over: axes, names of values, or all rows of a column."""
    forms = {dict: "<axes>", list: "<names>", str: "<column>"}
    return next((form for kind, form in forms.items() if isinstance(value, kind)), None)


_NO_NAMES = "a list of names is due, or one of uncertainty, between_lines, between_patients"
_NO_AXES = "axes by name are due, or one of uncertainty, between_lines, between_patients"
Names = Annotated[
    Annotated[list[str], Field(min_length=1), Tag("<names>")] | Annotated[Column, Tag("<column>")],
    Discriminator(_over_form, custom_error_type="no_names", custom_error_message=_NO_NAMES),
]
"""Values of the model; a column means all rows of the table that state such a spread."""
Over = Annotated[
    Annotated[dict[str, SpaceAxis], Field(min_length=1), Tag("<axes>")]
    | Annotated[Column, Tag("<column>")],
    Discriminator(_over_form, custom_error_type="no_axes", custom_error_message=_NO_AXES),
]
"""The axes of drawn points; a column means all rows of the table that state such a spread."""


def _power_of_two(points: int) -> int:
    """The number itself; raises ValueError, with the two nearest, where it is no power of two."""
    if points & (points - 1):
        below = 1 << (points.bit_length() - 1)
        raise ValueError(
            f"{points} points are no power of two, as a Sobol sequence needs: "
            f"write {below} or {2 * below}"
        )
    return points


Count = Annotated[int, Field(ge=1, le=MOST_POINTS)]
PowerOfTwo = Annotated[int, Field(ge=1, le=2**29), AfterValidator(_power_of_two)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]


class Drawn(BaseModel):
    """Points drawn from the space of some axes."""

    model_config = STRICT

    points: Count
    seed: Seed = 1
    over: Over


class LatinHypercube(Drawn):
    """Points of which each n-th part of an axis has one."""


class Sobol(Drawn):
    """Points of a scrambled Sobol sequence, which leave no part of the space out."""

    points: PowerOfTwo


class Random(Drawn):
    """Independent points."""


class Elasticities(BaseModel):
    """The base point, and each value a small step above and below it."""

    model_config = STRICT

    step: Annotated[Factor, Field(gt=0, lt=1)] = 0.01
    over: Names


class Morris(BaseModel):
    """Trajectories on a coarse grid that change one axis after another."""

    model_config = STRICT

    trajectories: Annotated[int, Field(ge=2, le=MOST_POINTS)] = 20
    levels: Annotated[int, Field(ge=2, le=1000, multiple_of=2)] = 4
    seed: Seed = 1
    over: Over


class Saltelli(BaseModel):
    """The samples from which Sobol's indices are estimated."""

    model_config = STRICT

    points: PowerOfTwo
    seed: Seed = 1
    second_order: bool = False
    over: Over


class DesignBlock(BaseModel):
    """Points at which the scenario runs: of one kind, or of other blocks crossed or zipped."""

    model_config = STRICT

    grid: Annotated[dict[str, GridAxis] | None, Field(min_length=1)] = None
    latin_hypercube: LatinHypercube | None = None
    sobol: Sobol | None = None
    random: Random | None = None
    table: str | None = None
    cross: Annotated[list[DesignBlock] | None, Field(min_length=1)] = None
    zip: Annotated[list[DesignBlock] | None, Field(min_length=1)] = None
    elasticities: Elasticities | None = None
    morris: Morris | None = None
    saltelli: Saltelli | None = None

    @property
    def kind(self) -> str:
        """What kind of points these are."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> DesignBlock:
        kinds = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(kinds) != 1:
            known = ", ".join(type(self).model_fields)
            said = f"not {' and '.join(kinds)}: cross or zip them" if kinds else "none is given"
            raise ValueError(f"a design has one of {known}: {said}")
        return self


def logarithmic_axes(block: DesignBlock) -> Iterator[str]:
    """The axes of a design that say that they are logarithmic."""
    for part in (*(block.cross or ()), *(block.zip or ())):
        yield from logarithmic_axes(part)
    drawn = (block.latin_hypercube, block.sobol, block.random, block.morris, block.saltelli)
    for axes in (block.grid, *(item.over for item in drawn if item)):
        if isinstance(axes, dict):
            yield from (n for n, a in axes.items() if isinstance(a, Span) and a.spacing == "log")


SECTIONS: Mapping[str | int, type[BaseModel]] = {
    "latin_hypercube": LatinHypercube, "sobol": Sobol, "random": Random,
    "elasticities": Elasticities, "morris": Morris, "saltelli": Saltelli,
    "<range>": Range, "<span>": Span, "<spread>": Spread,
}  # fmt: skip
"""What may stand under a key of a design, or in an axis of a form."""
