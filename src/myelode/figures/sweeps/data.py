"""What of a sweep is shown: one endpoint at all points, the axes, and what became of each point."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelode.errors import MyelodeError, ScenarioError, best_matches
from myelode.figures.page import closing_notes, evidence_note
from myelode.figures.styles import quantity_text, unit_text
from myelode.figures.sweeps.across import Across
from myelode.sweeps.blocks import DONE, MISSING, TEXT, Layout, Variable
from myelode.sweeps.designs.sections import logarithmic_axes
from myelode.sweeps.exports.table_columns import TIME, entry_names, entry_of, results_of, words_of
from myelode.sweeps.plans import plan_again
from myelode.sweeps.sections import sweep_from_text
from myelode.sweeps.stores.store import Store

PERTURBATION, OUTCOME, FOLD = "perturbation", "outcome", "fold"
ITSELF, NO_CLASS = "against itself", -1
"""What is said of the reference where it is compared, and its class: it has none."""


@dataclass(frozen=True)
class Entry:
    """One entry of the endpoint: its values at all points, and their classes where it has any."""

    heading: str
    values: np.ndarray
    classes: np.ndarray | None = None

    def at(self, kept: np.ndarray) -> Entry:
        """Some of the points."""
        classes = None if self.classes is None else self.classes[kept]
        return Entry(self.heading, self.values[kept], classes)


@dataclass(frozen=True)
class Shown:
    """Everything that a figure of a sweep is made of.

    Attributes
    ----------
    of, label : the endpoint, and what it is in print.
    axes : those that have more than one value.
    entries : one for each perturbation, arm, compound or dose of the endpoint.
    status : of shape (points,).
    unplaced : how many missing points have no place, for their plan cannot be made again.
    words : what the values are where they are codes; those of `classes` are `classes`.
    model, line : those of all points; empty where there are several, or where none is named.
    """

    of: str
    label: str
    axes: Mapping[str, Across]
    entries: tuple[Entry, ...]
    status: np.ndarray
    words: Mapping[int, str]
    classes: Mapping[int, str]
    attributes: Mapping[str, Any]
    unplaced: int = 0
    model: str = ""
    line: str = ""

    @property
    def subtitle(self) -> str:
        """Where the numbers come from."""
        said = f"sweep of scenario {_scenario(self.attributes)['id']}"
        said += f", model {self.model}" if self.model else ""
        return said + (f", cell line {self.line}" if self.line else "")

    @property
    def failed(self) -> np.ndarray:
        """Which points were computed in vain."""
        return np.asarray(self.status > DONE)

    @property
    def missing(self) -> np.ndarray:
        """Which points nobody has computed yet."""
        return np.asarray(self.status == MISSING)

    def notes(self) -> Iterator[str]:
        """What is said below every figure of a sweep."""
        failed, missing = int(self.failed.sum()), int(self.missing.sum()) + self.unplaced
        said = f"{len(self.status) + self.unplaced:,} points"
        said += f", {failed:,} of them failed" if failed else ""
        said += f", {missing:,} not computed yet" if missing else ""
        yield said + "."
        yield evidence_note(self.attributes)
        yield from closing_notes(self.attributes)


def read_shown(store: Store, of: str | None, perturbations: Sequence[str] | None = None) -> Shown:
    """One endpoint of a store, by default that of its outcome, else the first one.

    Raises ScenarioError for names that the store does not have, and if nothing is computed yet.
    """
    layout = store.layout
    status = store.status()
    if (status == MISSING).all():
        raise ScenarioError(f"{store.path}: no point is computed yet")
    variable = _endpoint(layout, of)
    columns = _columns(store, status)
    kept = _kept_points(columns, perturbations)
    columns = {name: values[kept] for name, values in columns.items()}
    classes = _classes(layout, variable)
    entries = [e.at(kept) for e in _entries(store, variable, classes, perturbations)]
    scenario = _scenario(layout.attributes)
    entries = [*_without_reference(entries, columns, scenario)]
    axes = _axes(layout, _with_itself(columns, scenario) if _is_compared(variable) else columns)
    return Shown(
        variable.name,
        _label(variable),
        {axis.name: axis for axis in axes if len(axis.levels) > 1},
        tuple(entries),
        status[kept],
        words_of(variable.attributes),
        words_of(classes.attributes) if classes and any(map(_has_classes, entries)) else {},
        layout.attributes,
        int((~kept & (status == MISSING)).sum()),
        model=_only(columns, "model", layout.attributes["model"]),
        line=_only(columns, "cell_line", scenario.get("cell_line")),
    )


def _scenario(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What of the scenario is written in its file."""
    found: dict[str, Any] = json.loads(str(attributes["scenario"]))
    return found


def _only(columns: Mapping[str, np.ndarray], name: str, otherwise: Any) -> str:
    """What all points have of something, `otherwise` if it is no axis; empty where they differ."""
    if name not in columns:
        return str(otherwise or "")
    found = {*columns[name].tolist()}
    return str(found.pop()) if len(found) == 1 else ""


def _reference(scenario: Mapping[str, Any]) -> str:
    return str(scenario.get("reference", "none"))


def _is_compared(of: Variable) -> bool:
    """Whether an endpoint says how something is beside the reference."""
    return of.name in (FOLD, OUTCOME)


def _has_classes(entry: Entry) -> bool:
    return entry.classes is not None and bool((entry.classes != NO_CLASS).any())


def _without_reference(
    entries: Iterable[Entry], columns: Mapping[str, np.ndarray], scenario: Mapping[str, Any]
) -> Iterator[Entry]:
    """Entries without the classes of points in the reference, compared with themselves."""
    for entry in entries:
        if entry.classes is not None and PERTURBATION in columns:
            itself = columns[PERTURBATION] == _reference(scenario)
            entry = replace(entry, classes=np.where(itself, NO_CLASS, entry.classes))
        yield entry


def _with_itself(
    columns: Mapping[str, np.ndarray], scenario: Mapping[str, Any]
) -> Mapping[str, np.ndarray]:
    """The axes, in which the reference, if it is on one, is said to be compared with itself."""
    if PERTURBATION not in columns:
        return columns
    name, texts = _reference(scenario), columns[PERTURBATION].astype(object)
    texts[texts == name] = f"{name}, {ITSELF}"
    return {**columns, PERTURBATION: texts}


def _endpoint(layout: Layout, of: str | None) -> Variable:
    """The endpoint of that name, or the one that tells most."""
    found = {item.name: item for item in results_of(layout) if TIME not in item.dims}
    if not found:
        raise ScenarioError("the store has trajectories only: there is no endpoint to show")
    if of is None:
        rule = _scenario(layout.attributes).get("outcome") or {}
        listed = sweep_from_text(str(layout.attributes["sweep"])).endpoints or found
        wanted = (str(rule.get("of")), *listed, *found)
        return next(found[name] for name in wanted if name in found)
    if of not in found:
        raise ScenarioError(f"the store has no endpoint {of!r}{best_matches(of, found)}")
    return found[of]


def _label(variable: Variable) -> str:
    if words_of(variable.attributes):
        return str(variable.attributes["long_name"])
    return quantity_text(variable.attributes, variable.name)


def _axes(layout: Layout, columns: Mapping[str, np.ndarray]) -> Iterator[Across]:
    logarithmic = {*logarithmic_axes(sweep_from_text(str(layout.attributes["sweep"])).design)}
    for item in layout.axes:
        is_text = item.dtype == TEXT
        label = item.name.replace("_", " ") if is_text else quantity_text(item.attributes, "")
        unit = unit_text(str(item.attributes.get("units") or ""))
        unit = "" if unit == "dimensionless" else unit
        yield Across(item.name, label, columns[item.name], unit, item.name in logarithmic)


def _columns(store: Store, status: np.ndarray) -> dict[str, np.ndarray]:
    """The values of all axes; those of points that are not computed yet come from the plan."""
    names = [item.name for item in store.layout.axes]
    columns = {name: store.columns(name) for name in names}
    missing = np.flatnonzero(status == MISSING)
    if missing.size:
        with suppress(MyelodeError):  # the scenario is gone: they stay where nobody sees them
            planned = plan_again(store.document).columns(missing)
            columns = {name: values.copy() for name, values in columns.items()}
            for name in names:
                columns[name][missing] = planned[name]
    return columns


def _kept_points(
    columns: Mapping[str, np.ndarray], perturbations: Sequence[str] | None
) -> np.ndarray:
    """The points that are shown: all that have a place, in the perturbations that are named."""
    kept = np.all([_is_known(values) for values in columns.values()], axis=0)
    if perturbations is not None and PERTURBATION in columns:
        values = columns[PERTURBATION].astype(str)
        _require_known(perturbations, {*values})
        kept &= np.isin(values, perturbations)
    return np.asarray(kept)


def _is_known(values: np.ndarray) -> np.ndarray:
    return np.asarray(values != "" if values.dtype == object else ~np.isnan(values))


def _require_known(names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            hint = best_matches(name, known)
            raise ScenarioError(f"the store has no perturbation {name!r}{hint}")


def _classes(layout: Layout, of: Variable) -> Variable | None:
    """The outcome, where every value of the endpoint has one."""
    for item in layout.variables:
        if item.name == OUTCOME and of.name != OUTCOME and {*item.dims} <= {*of.dims}:
            return item
    return None


def _entries(
    store: Store, of: Variable, classes: Variable | None, perturbations: Sequence[str] | None
) -> Iterator[Entry]:
    """Every entry of an endpoint that is asked for; without classes in the reference."""
    reference = _reference(_scenario(store.layout.attributes))
    names = {d: entry_names(store.layout, d, n) for d, n in zip(of.dims, of.shape, strict=True)}
    if perturbations is not None and PERTURBATION in names:
        _require_known(perturbations, names[PERTURBATION])
    values = _without_failed(store.columns(of.name), store.status())
    codes = store.columns(classes.name) if classes else np.zeros(0)
    for place in itertools.product(*(range(size) for size in of.shape)):
        at = dict(zip(of.dims, place, strict=True))
        where = {dim: names[dim][number] for dim, number in at.items()}
        if perturbations is None or where.get(PERTURBATION, perturbations[0]) in perturbations:
            told = [_told(dim, name) for dim, name in where.items() if len(names[dim]) > 1]
            is_itself = where.get(PERTURBATION) == reference
            told += [ITSELF] if is_itself and _is_compared(of) else []
            of_it = None
            if classes is not None and not is_itself:
                of_it = entry_of(codes, [at[dim] for dim in classes.dims])
            yield Entry(", ".join(told), entry_of(values, place), of_it)


def _without_failed(values: np.ndarray, status: np.ndarray) -> np.ndarray:
    """Numbers without those of points that failed in another of their runs."""
    if values.dtype.kind != "f":
        return values
    return np.where((status > DONE).reshape(-1, *[1] * (values.ndim - 1)), np.nan, values)


def _told(dim: str, name: str) -> str:
    if dim == PERTURBATION:
        return name.replace("_", " ")
    return name if not name[:1].isdigit() else f"{dim} {name}"
