"""Steps that depend on the state of the run: what their conditions may name."""

from __future__ import annotations

from collections.abc import Iterable

from myelode.errors import ScenarioError
from myelode.expressions import names_in
from myelode.model import Model
from myelode.regimens.steps import Step
from myelode.regimens.timeline import Instant, Occurrence


def require_names(step: Step, model: Model) -> None:
    """Refuse a condition that names what the model does not have, with the closest names."""
    for name in names_in(step.if_) if step.if_ is not None else ():
        try:
            if "(" in name:
                model.unit_of(name)
            elif name != "time":
                model.entity(name)
        except ScenarioError as error:
            raise ScenarioError(f"{step.title}: if: {error}") from None


def occurrences_in(instants: Iterable[Instant]) -> list[Occurrence]:
    """All occurrences that may or may not take place."""
    return [occurrence for instant in instants for occurrence in instant.occurrences]
