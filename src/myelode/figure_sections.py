"""The section of a scenario that says how its figure is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from myelode.errors import best_matches
from myelode.regimens.steps import STRICT

Fault = tuple[tuple[str | int, ...], str]
"""Where in the scenario, and what is wrong."""
_CHARTS = {"signature": "signature", "combinations": "chart of combinations"}
Names = Annotated[list[str], Field(min_length=1)]


class FigureRule(BaseModel):
    """What the figure shows, where curves side by side do not show what matters.

    `show: signature` is a table of perturbations by endpoints, coloured by the change from the
    reference: of `columns`, or of all endpoints; `differences` are changes by so much, others fold.
    `together` puts outputs of one unit into one panel, under the title of each group; `log` names
    the outputs, groups or endpoints that have a log axis. `show: combinations` is a chart of the
    combinations: how far each shifts a dose of half, and what it does beyond independence.
    """

    model_config = STRICT

    show: Literal["signature", "combinations"] | None = None
    columns: Names | None = None
    differences: list[str] | None = None
    together: dict[str, Names] = {}
    log: list[str] = []

    def faults(
        self, endpoints: Collection[str], outputs: Collection[str],
        combinations: Collection[str], has_ladder: bool,
    ) -> Iterator[Fault]:  # fmt: skip
        """Names that the scenario does not know, and what does not go with what."""
        if self.show == "combinations" and not combinations:
            yield ("figure", "show"), "the scenario has no combinations"
        for key in ("columns", "differences"):
            listed: list[str] = getattr(self, key) or []
            if listed and self.show != "signature":
                yield ("figure", key), f"{key} belong to show: signature"
            for number, name in enumerate(listed):
                if name not in endpoints:
                    hint = best_matches(name, endpoints)
                    yield ("figure", key, number), f"unknown endpoint {name!r}{hint}"
        if self.together and self.show is not None:
            yield ("figure", "together"), f"a {_CHARTS[self.show]} has no curves to stand together"
        if self.together and has_ladder:
            yield ("figure", "together"), "outputs stand together over time, not over doses"
        known = [*self.together, *outputs, *endpoints]
        for number, name in enumerate(self.log):
            if name not in known:
                hint = best_matches(name, known)
                yield ("figure", "log", number), f"no panel shows {name!r}{hint}"
        yield from self._misplaced(outputs)

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
