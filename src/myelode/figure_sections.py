"""The section of a scenario that says how its figure is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from myelode.arm_sections import BLISS, SHIFT, Combination
from myelode.assays.activity_sections import AS_OD, Activity
from myelode.assays.sections import NOISELESS
from myelode.errors import best_matches
from myelode.regimens.steps import STRICT, Quantity

Fault = tuple[tuple[str | int, ...], str]
"""Where in the scenario, and what is wrong."""
_CHARTS = {
    "signature": "signature", "combinations": "chart of combinations", "bars": "chart of bars",
}  # fmt: skip
_OF_BARS = ("panels", "rows", "series", "marks")
Names = Annotated[list[str], Field(min_length=1)]
Labelled = Annotated[dict[str, str], Field(min_length=1)]


@dataclass(frozen=True)
class Shown:
    """What a scenario has, for a figure to show."""

    endpoints: Collection[str]
    activities: Mapping[str, Activity]
    combinations: Mapping[str, Combination]
    outputs: Collection[str]
    perturbations: Collection[str]
    arms: Collection[str]
    has_ladder: bool

    @property
    def numbers(self) -> list[str]:
        """The names of all that can be a number in each run."""
        read = [name + end for name in self.activities for end in ("", NOISELESS, AS_OD)]
        shifts = [SHIFT + name for name, item in self.combinations.items() if item.shift]
        return [*self.endpoints, *read, *shifts, *(BLISS + name for name in self.combinations)]


def keyed(bars: list[str] | dict[str, str]) -> list[tuple[str | int, str]]:
    """The bars of a panel, each with its label, or its number where it has none."""
    return list(bars.items()) if isinstance(bars, dict) else list(enumerate(bars))


def parts_of(bar: str) -> list[str]:
    """The numbers of which a bar is made: ``direct + circulating`` has two."""
    return [part.strip() for part in bar.split("+")]


class FigureRule(BaseModel):
    """What the figure shows, where curves side by side do not show what matters.

    `show: signature` is a table of perturbations by endpoints, coloured by the change from the
    reference: of `columns`, or of all endpoints; `differences` are changes by so much, others fold.
    `together` puts outputs of one unit into one panel, under the title of each group; `log` names
    the outputs, groups or endpoints that have a log axis. `show: combinations` is a chart of the
    combinations: how far each shifts a dose of half, and what it does beyond independence.
    `show: bars` has `panels` of bars: endpoints, or sums of several. `rows` are perturbations or
    arms, `series` what stands within a row, of the other kind; a list, or labels for what is shown.
    `marks` are lines at the levels that matter in a panel.
    """

    model_config = STRICT

    show: Literal["signature", "combinations", "bars"] | None = None
    columns: Names | None = None
    differences: list[str] | None = None
    together: dict[str, Names] = {}
    log: list[str] = []
    panels: dict[str, Names | Labelled] = {}
    rows: Names | Labelled | None = None
    series: Names | Labelled | None = None
    marks: dict[str, dict[str, Quantity]] = {}

    def faults(self, shown: Shown) -> Iterator[Fault]:
        """Names that the scenario does not know, and what does not go with what."""
        if self.show == "combinations" and not shown.combinations:
            yield ("figure", "show"), "the scenario has no combinations"
        yield from self._faults_of_columns(shown.endpoints)
        if self.together and self.show is not None:
            yield ("figure", "together"), f"a {_CHARTS[self.show]} has no curves to stand together"
        if self.together and shown.has_ladder:
            yield ("figure", "together"), "outputs stand together over time, not over doses"
        panels = [*self.together, *shown.outputs, *shown.endpoints]
        known = list(self.panels) if self.show == "bars" else panels
        yield from _unknown(self.log, known, ("figure", "log"), "no panel shows")
        yield from self._misplaced(shown.outputs)
        yield from self._faults_of_bars(shown)

    def _faults_of_columns(self, endpoints: Collection[str]) -> Iterator[Fault]:
        """Columns that are no endpoints, or stand where there are none."""
        for key in ("columns", "differences"):
            listed: list[str] = getattr(self, key) or []
            if listed and self.show != "signature":
                yield ("figure", key), f"{key} belong to show: signature"
            yield from _unknown(listed, endpoints, ("figure", key), "unknown endpoint")

    def _faults_of_bars(self, shown: Shown) -> Iterator[Fault]:
        """Bars, rows, arms and marks that the scenario does not know."""
        if self.show != "bars":
            for key in _OF_BARS:
                if getattr(self, key):
                    yield ("figure", key), f"{key} belong to show: bars"
            return
        if not self.panels:
            yield ("figure", "show"), "bars stand in panels: {TITLE: [endpoints]}"
        for title, bars in self.panels.items():
            for place, bar in keyed(bars):
                for part in parts_of(bar):
                    if part not in shown.numbers:
                        said = f"unknown endpoint {part!r}{best_matches(part, shown.numbers)}"
                        yield ("figure", "panels", title, place), said
        yield from self._faults_of_names(shown)
        yield from _unknown(self.marks, self.panels, ("figure", "marks"), "no panel is called")

    def _faults_of_names(self, shown: Shown) -> Iterator[Fault]:
        """Rows of perturbations or arms, and within them what the rows are not."""
        names, arms = {*shown.perturbations}, {*shown.arms}
        for key, listed in (("rows", self.rows or ()), ("series", self.series or ())):
            known = [*shown.perturbations, *shown.arms]
            yield from _unknown(listed, known, ("figure", key), "no perturbation or arm is called")
            if not ({*listed} <= names or {*listed} <= arms):
                yield ("figure", key), f"{key} are perturbations, or arms, not both"
        if self.rows and self.series and ({*self.rows} <= names) == ({*self.series} <= names):
            said = "arms" if {*self.rows} <= names else "perturbations"
            yield ("figure", "series"), f"rows and series are of two kinds: list {said} here"

    def _misplaced(self, outputs: Collection[str]) -> Iterator[Fault]:
        """Outputs under `together` that are not observed, or stand in two places."""
        seen: set[str] = set()
        for title, names in self.together.items():
            if title in outputs:
                yield ("figure", "together", title), f"{title!r} is an output: name the group else"
            for number, name in enumerate(names):
                place = ("figure", "together", title, number)
                if name not in outputs:
                    yield place, f"{name!r} is not among the outputs{best_matches(name, outputs)}"
                if name in seen:
                    yield place, f"{name!r} stands in the figure already"
                seen.add(name)


def _unknown(
    names: Collection[str], known: Collection[str], place: tuple[str, ...], said: str
) -> Iterator[Fault]:
    """Each of the names that is not known, at its place in a list or under its key."""
    for number, name in enumerate(names):
        if name not in known:
            key = name if isinstance(names, Mapping) else number
            yield (*place, key), f"{said} {name!r}{best_matches(name, known)}"
