"""What a scenario records: the outputs that it lists, and those that its other sections need."""

from __future__ import annotations

from myelode.assays.enzymes import outputs_of_activities
from myelode.assays.instruments import instruments
from myelode.assays.needs import needed_outputs
from myelode.assays.sections import require_calibrators
from myelode.clinic.visits import assessed_outputs
from myelode.design import Grid
from myelode.errors import ScenarioError
from myelode.model import Model
from myelode.scenario import RESERVED, Scenario


def recorded_outputs(scenario: Scenario, model: Model, grid: Grid) -> tuple[str, ...]:
    """What is recorded: the outputs that are listed, and those that other sections need."""
    taken, readings = RESERVED | grid.names, _readings(scenario, model)
    wanted: dict[str, None] = {}
    places: list[tuple[tuple[str | int, ...], str | None]] = [
        (("observe", "outputs", number), output)
        for number, output in enumerate(scenario.observe.outputs)
    ]
    places += [(("endpoints", name, "of"), item.of) for name, item in scenario.endpoints.items()]
    places += [(("assays", name, "of"), assay.of) for name, assay in scenario.assays.items()]
    places += [*needed_outputs(scenario), *outputs_of_activities(scenario, model.unit_of)]
    places += assessed_outputs(scenario, model)
    for path, output in places:
        if output is not None and output not in readings:
            with scenario.at(*path):
                if output not in model.entities:
                    require_calibrators(output, scenario.assays)
                model.unit_of(output)
                if output in taken:
                    raise ScenarioError(f"{output!r} is a coordinate of the result already")
                wanted[output] = None
    return tuple(wanted)


def _readings(scenario: Scenario, model: Model) -> frozenset[str]:
    """What the assays of the scenario add to its outputs."""
    instruments(scenario, model.unit_of)
    for name in scenario.assays:
        if name in model.entities:
            with scenario.at("assays", name):
                raise ScenarioError(f"{name!r} is the name of a value of the model already")
    return frozenset(own for name, assay in scenario.assays.items() for own in assay.adds(name))
