"""One change in the cell across the models: what each model computes, and what is only stated.

`models/cross_resistance.yaml` says which perturbation of which model stands for a change. Where no
model has it, a number may be stated with its source; where nobody knows one, the cell is unknown
and says what was claimed, by whom, and how that stands.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from pydantic import BaseModel, Field, model_validator

from myelode.datasets import NOTICE
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import read_yaml
from myelode.metrics import SPREAD
from myelode.perturbations import REFERENCE
from myelode.regimens.steps import STRICT
from myelode.responses.curves import DEFINITIONS
from myelode.responses.templates import shared_file, validated

Verdict = Literal["supported", "contested", "contradicted", "unsupported"]
Evidence = Literal["measured", "fitted", "derived", "literature", "recalled", "assumed", "none"]
_WITHOUT_ANY_MODEL: Mapping[str, Any] = {
    "half": "ic50", "definition": DEFINITIONS["ic50"], "engine": "", "notice": NOTICE, "draws": 0,
    "reference": REFERENCE,
}  # fmt: skip
_TEXTS = ("outcome", "reason", "flags", "status", "evidence", "verdict", "source")


class Cell(BaseModel):
    """What is known of one change and one drug: a perturbation, a number, or nothing."""

    model_config = STRICT

    perturbation: str | None = None
    fold: Annotated[float | None, Field(gt=0)] = None
    unknown: str | None = None
    evidence: Evidence
    verdict: Verdict | None = None
    source: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _one_of_three(self) -> Cell:
        given = [item is not None for item in (self.perturbation, self.fold, self.unknown)]
        if sum(given) != 1:
            raise ValueError("a cell has a perturbation, a fold, or says what is unknown")
        if self.fold is not None and not self.source:
            raise ValueError("a fold that is stated needs its source")
        return self


class Drug(BaseModel):
    """A column: the model that computes it; none where only statements exist."""

    model_config = STRICT

    model: str | None = None
    title: str = ""


class Row(BaseModel):
    """A change in the cell."""

    model_config = STRICT

    title: str
    cells: dict[str, Cell]


class Shared(BaseModel):
    """The changes and drugs of the file, or those of them that are asked for."""

    model_config = STRICT

    title: str
    compounds: dict[str, Drug]
    rows: dict[str, Row]

    def rows_by_model(self) -> dict[str, list[str]]:
        """The perturbations that each model has to compute."""
        found: dict[str, dict[str, None]] = {}
        for row in self.rows.values():
            for drug, cell in row.cells.items():
                model = self.compounds[drug].model if drug in self.compounds else None
                if model is not None and cell.perturbation is not None:
                    found.setdefault(model, {})[cell.perturbation] = None
        return {model: list(names) for model, names in found.items()}

    def columns_of(self, model: str) -> list[str]:
        """The drugs that a model computes."""
        return [name for name, drug in self.compounds.items() if drug.model == model]


def read_mapping(
    rows: Sequence[str] | None = None, compounds: Sequence[str] | None = None
) -> Shared:
    """The changes and drugs across the shipped models, all of them or those that are named.

    Raises ModelError for a fault of the file, ScenarioError for a name that it does not have.
    """
    file = read_yaml(shared_file(), ModelError)
    found: Shared = validated(file, Shared)
    for name, row in found.rows.items():
        for drug in row.cells.keys() - found.compounds.keys():
            hint = best_matches(drug, found.compounds)
            raise ModelError(f"{file.place(('rows', name, 'cells', drug))}: unknown drug{hint}")
    return Shared(
        title=found.title,
        compounds=_chosen(found.compounds, compounds, "compound"),
        rows=_chosen(found.rows, rows, "change"),
    )


def _chosen(known: Mapping[str, Any], names: Sequence[str] | None, what: str) -> dict[str, Any]:
    for name in names or ():
        if name not in known:
            raise ScenarioError(
                f"no {what} across the models is {name!r}{best_matches(name, known)}"
            )
    return {name: known[name] for name in (known if names is None else names)}


def across_models(shared: Shared, tables: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """One table of all drugs, from the table of each model by its name."""
    shape = (len(shared.rows), len(shared.compounds))
    folds, texts = np.full(shape, math.nan), {n: np.full(shape, "", object) for n in _TEXTS}
    intervals = np.full((*shape, 3), math.nan)
    for place, cell, drug, model in _cells(shared):
        found = _entry(cell, drug, tables.get(model or ""))
        folds[place] = found.pop("fold")
        intervals[place] = found.pop("interval")
        for name, text in found.items():
            texts[name][place] = text
    dims = ("perturbation", "compound")
    variables = {name: (dims, values) for name, values in texts.items()}
    data = xr.Dataset(
        {"fold": (dims, folds, {"units": "dimensionless", "long_name": "fold"}), **variables},
        coords={"perturbation": list(shared.rows), "compound": list(shared.compounds)},
    )
    if any("fold_interval" in table for table in tables.values()):
        data["fold_interval"] = ((*dims, "quantile"), intervals)
        data.coords["quantile"] = ("quantile", list(SPREAD))
    titles = {name: row.title for name, row in shared.rows.items()}
    return data.assign_attrs(_attributes(shared.title, titles, tables))


def _attributes(
    title: str, titles: Mapping[str, str], tables: Mapping[str, xr.Dataset]
) -> dict[str, Any]:
    """What is said of the whole table: how and when each model was read, and by which engine."""
    first = next(iter(tables.values()), xr.Dataset())
    said = {name: table.attrs["read_at"] for name, table in tables.items()}
    keys = ("half", "definition", "engine", "notice", "draws", "drawn", "reference")
    ledgers = [entry for t in tables.values() for entry in json.loads(str(t.attrs["ledger"]))]
    return {
        "title": title,
        "model": "all",
        "perturbation_titles": json.dumps(titles),
        "read_at": "; ".join(f"{name} {moment}" for name, moment in said.items()),
        "ledger": json.dumps(ledgers),
        "assumed_shares": json.dumps({n: t.attrs["assumed_share"] for n, t in tables.items()}),
        **_WITHOUT_ANY_MODEL,
        **{key: first.attrs[key] for key in keys if key in first.attrs},
    }


def _cells(shared: Shared) -> Iterator[tuple[tuple[int, int], Cell, str, str | None]]:
    """Every place of the table, what is known there, its drug, and the model of the drug."""
    for number, row in enumerate(shared.rows.values()):
        for at, (drug, item) in enumerate(shared.compounds.items()):
            cell = row.cells.get(drug, Cell(unknown="nothing is known", evidence="none"))
            yield (number, at), cell, drug, item.model


def _entry(cell: Cell, drug: str, table: xr.Dataset | None) -> dict[str, Any]:
    """Fold, interval and words of one place."""
    said = {"evidence": cell.evidence, "verdict": cell.verdict or "", "source": cell.source}
    nothing = [math.nan] * 3
    if cell.fold is not None:
        reason = f"stated, not computed: {cell.note}" if cell.note else "stated, not computed"
        own = {"fold": cell.fold, "status": "stated", "reason": reason, "outcome": ""}
        return {**own, "interval": nothing, "flags": "", **said}
    if cell.perturbation is None or table is None:
        reason = " ".join(str(cell.unknown or "no model computes it").split())
        own = {"fold": math.nan, "status": "unknown", "reason": reason, "outcome": "undetermined"}
        return {**own, "interval": nothing, "flags": "", **said}
    here = table.sel(perturbation=cell.perturbation, compound=drug)
    words = {name: str(here[name].item()) for name in ("outcome", "reason", "flags", "status")}
    words["reason"] = f"{cell.perturbation}: {words['reason']}"
    interval = here["fold_interval"].values if "fold_interval" in here else nothing
    return {"fold": float(here["fold"]), "interval": interval, **words, **said}
