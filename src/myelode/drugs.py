"""The compounds that a scenario runs, and the values that each puts on the model.

These values lie between the model's own and those of the cell line. `overrides` replace values in
their own layer, which is how a fit asks what a number would do: ``NAME`` the model's, or
``COMPOUND.NAME`` a compound's and of those like it, or ``LINE:NAME`` what a cell line sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from myelode.compound_fit import value_in_model
from myelode.compounds import Compound
from myelode.errors import ScenarioError, best_matches
from myelode.model import Model, stands_in_another_variant
from myelode.parameters import Parameter
from myelode.perturbations import Perturbation, require_changeable
from myelode.precedence import Layer
from myelode.scenario import Scenario
from myelode.units import factor


@dataclass(frozen=True)
class Drug:
    """One compound of a scenario, with its partner: its layers of values, and the rows behind them.

    `rows` are those of the parameter table where the compound has none of its own; `compounds` are
    compound and partner, as the model calls them.
    """

    name: str
    layers: tuple[Layer, ...]
    rows: Mapping[str, Parameter]
    compounds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overrides:
    """Values in the model's units that replace others in their own layer, sorted by layer."""

    model: Mapping[str, float] = field(default_factory=dict)
    compounds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def on_line(self, line: Perturbation) -> Perturbation:
        """The cell line with the values that replace its own."""
        given = self.lines.get(line.name, {})
        scale = {name: factor for name, factor in line.scale.items() if name not in given}
        return replace(line, set={**line.set, **given}, scale=scale)


def read_overrides(
    model: Model, lines: Mapping[str, Perturbation], values: Mapping[str, float]
) -> Overrides:
    """Overrides by layer; a name of another variant only is left out.

    Raises ScenarioError for a name, compound or cell line that does not exist.
    """
    elsewhere = stands_in_another_variant(model)
    found: dict[tuple[str, str], dict[str, float]] = {}
    for key, value in values.items():
        kind, owner, name = _split(key)
        known = {"": (owner,), "compound": model.compounds.items, "cell line": lines}[kind]
        if owner not in known:
            raise ScenarioError(f"{key!r}: unknown {kind} {owner!r}{best_matches(owner, known)}")
        if name in model.entities or not elsewhere(name):
            require_changeable(model, name)
            found.setdefault((kind, owner), {})[name] = float(value)
    return Overrides(
        found.get(("", ""), {}),
        {owner: own for (kind, owner), own in found.items() if kind == "compound"},
        {owner: own for (kind, owner), own in found.items() if kind == "cell line"},
    )


def _split(key: str) -> tuple[str, str, str]:
    """The layer that a key means, whose it is there, and the name of the value."""
    line, colon, name = key.rpartition(":")
    if colon:
        return "cell line", line, name
    compound, dot, name = key.rpartition(".")
    return ("compound", compound, name) if dot else ("", "", name)


def read_drugs(scenario: Scenario, model: Model, overrides: Overrides) -> dict[str, Drug]:
    """The compounds of a scenario, by the names that it uses; one named "" where it names none."""
    partner = _partner(scenario, model)
    if scenario.compounds is None:
        return {"": _drug(model, "", _compound(scenario, model), partner, overrides)}
    drugs: dict[str, Drug] = {}
    seen: set[str] = set()
    for number, name in enumerate(scenario.compounds):
        with scenario.at("compounds", number):
            compound = model.compounds.find(name, model.variant)
            if compound.name in seen:
                raise ScenarioError(f"{compound.name!r} is listed twice")
            seen.add(compound.name)
            drugs[name] = _drug(model, name, compound, partner, overrides)
    return drugs


def read_arm_drugs(scenario: Scenario, model: Model, overrides: Overrides) -> dict[str, Drug]:
    """The compound of each arm, where a scenario names one for each; else none."""
    if not isinstance(scenario.compound, dict):
        return {}
    partner = _partner(scenario, model)
    drugs = {}
    for arm in scenario.regimens:
        with scenario.at("compound", arm):
            compound = model.compounds.find(scenario.compound[arm], model.variant)
        drugs[arm] = _drug(model, arm, compound, partner, overrides)
    return drugs


def _compound(scenario: Scenario, model: Model) -> Compound | None:
    """The compound of a scenario, of its first arm where each has its own.

    The default one, where there is any, if it names none.
    """
    named = scenario.compound
    if isinstance(named, dict):
        named = named[next(iter(scenario.regimens))]
    if named is not None:
        with scenario.at("compound"):
            return model.compounds.find(named, model.variant)
    return model.compounds.items[model.compounds.default] if model.compounds.default else None


def _partner(scenario: Scenario, model: Model) -> Compound | None:
    if scenario.partner is None:
        return None
    with scenario.at("partner"):
        found = model.compounds.find(scenario.partner, model.variant)
        if not model.compounds.partner:
            raise ScenarioError(f"variant {model.variant} has no place for a second compound")
        return found


def _drug(
    model: Model, name: str, compound: Compound | None, partner: Compound | None, over: Overrides
) -> Drug:
    layers: list[Layer] = [("override", over.model)] if over.model else []
    rows = dict(model.parameters)
    if compound is not None:
        rows |= model.compounds.rows(compound.name)
        layers.append((f"compound {compound.name}", _values(model, compound.name, over)))
    if partner is not None:
        layers.append((f"partner {partner.name}", _partner_values(model, partner.name, over)))
        theirs = {**model.parameters, **model.compounds.rows(partner.name)}
        rows |= {
            target: replace(theirs[source], name=target)
            for target, source in model.compounds.partner.items()
            if source in theirs
        }
    used = tuple(item.name for item in (compound, partner) if item is not None)
    return Drug(name, tuple(layers), rows, used)


def _values(model: Model, name: str, over: Overrides) -> dict[str, float]:
    """What a compound changes of the model; the default one changes nothing but by overrides.

    Its own value comes before that of the compound that it is like, even if that is overridden.
    """
    values: dict[str, float] = {}
    overridden: dict[str, float] = {}
    for item in reversed(model.compounds.lineage(name)):
        for row in item.rows.values():
            values[row.name] = value_in_model(row, model.entities[row.name])
        overridden = {key: v for key, v in overridden.items() if key not in item.rows}
        overridden |= over.compounds.get(item.name, {})
        if item.name == model.compounds.default:
            values = {}  # what stands so far are the values of the model itself
    return {**values, **overridden}


def _partner_values(model: Model, name: str, over: Overrides) -> dict[str, float]:
    """The values of the second compound, under the names that the model has for them."""
    own = {**over.model, **_values(model, name, over)}
    values = {}
    for target, source in model.compounds.partner.items():
        entity, goal = model.entities[source], model.entities[target]
        value = own.get(source, entity.value or 0.0)
        values[target] = value * factor(entity.unit or "", goal.unit or "", target)
    return values
