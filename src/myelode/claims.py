"""What the source documents of a model claim, and what became of each claim.

A claim may keep the numbers that its document states (`records`) and say what must hold between
them (`must_hold`). Such a condition is arithmetic, not opinion: it is evaluated when the file is
read, on values in coherent base units, so that 200 nmol/L and 2 umol/L may stand side by side.
"""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from myelode.dimensions import base_value, is_number
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.expressions import FUNCTIONS, evaluate_expression, holds, names_in, parse_expression
from myelode.files import YamlFile, read_yaml
from myelode.units import DIMENSIONLESS

VERDICTS = ("supported", "contested", "contradicted", "unsupported")
_TEXTS = ("id", "claim", "document", "verdict", "because", "in_model")
_KEYS = (*_TEXTS, "sources")
_OPTIONAL = ("says", "records", "must_hold")
_RECORD = ("value", "unit", "what")
_CONDITION = ("if", "because")
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Record:
    """A number as a document states it, and what it is a number of."""

    value: float
    unit: str
    what: str

    def __str__(self) -> str:
        return f"{self.value:g}" if self.unit in DIMENSIONLESS else f"{self.value:g} {self.unit}"


@dataclass(frozen=True)
class Condition:
    """What must hold between records, why, and whether it does.

    `sides` gives the value of each computed side that is a pure number, such as a ratio.
    """

    text: str
    because: str
    holds: bool
    sides: Mapping[str, float]


@dataclass(frozen=True)
class Claim:
    """One claim: where it stands, the verdict and why, and what the model does about it.

    `says` is what the document says in its own few words, such as the grade in a table; "" where
    the claim itself is enough.
    """

    id: str
    claim: str
    document: str
    verdict: str
    because: str
    sources: tuple[str, ...]
    in_model: str
    records: Mapping[str, Record]
    must_hold: tuple[Condition, ...]
    says: str = ""

    def as_data(self) -> dict[str, Any]:
        """The claim as plain data, with the keys of the file."""
        data = asdict(self)
        data["must_hold"] = [{"if": item.pop("text"), **item} for item in data["must_hold"]]
        return data

    def numbers(self, condition: Condition) -> str:
        """``a = 2 umol/L, b = 200 nmol/L, a / b = 10``: what a condition was evaluated on."""
        stated = [f"{name} = {self.records[name]}" for name in names_in(condition.text)]
        return ", ".join(stated + [f"{side} = {x:.4g}" for side, x in condition.sides.items()])


def violations(claims: Iterable[Claim]) -> Iterator[str]:
    """One line for each condition that the numbers of its own claim break."""
    for claim in claims:
        for condition in claim.must_hold:
            if not condition.holds:
                numbers = claim.numbers(condition)
                broken = f"{condition.text!r} does not hold with {numbers}"
                yield f"{claim.id}: {broken}: {condition.because}"


def read_claims(folder: Path) -> list[Claim]:
    """The claims of a model folder, none where it has no `claims.yaml`.

    Raises ModelError with file and line for an unknown key or verdict, a missing text, and a
    condition that mixes units of different kinds.
    """
    path = folder / "claims.yaml"
    if not path.exists():
        return []
    file = read_yaml(path, ModelError)
    if not isinstance(file.data, list):
        raise ModelError(f"{file.where}: must be a list of claims")
    claims = [_claim(file, number, entry) for number, entry in enumerate(file.data)]
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if claim.id in seen:
            raise ModelError(f"{file.place((number, 'id'))}: {claim.id!r} is used twice")
        seen.add(claim.id)
    return claims


def _claim(file: YamlFile, number: int, entry: Any) -> Claim:
    _require_keys(file, (number,), entry, "a claim", _KEYS, _OPTIONAL)
    texts = {key: _text(file, (number, key), entry[key]) for key in _TEXTS}
    if texts["verdict"] not in VERDICTS:
        where = file.place((number, "verdict"))
        raise ModelError(f"{where}: {texts['verdict']!r} is none of {', '.join(VERDICTS)}")
    records = _records(file, (number, "records"), entry.get("records", {}))
    return Claim(
        **texts,
        sources=_sources(file, number, entry["sources"]),
        records=records,
        must_hold=_conditions(file, (number, "must_hold"), entry.get("must_hold", []), records),
        says=_text(file, (number, "says"), entry["says"]) if "says" in entry else "",
    )


def _require_keys(
    file: YamlFile, path: Place, entry: Any, what: str,
    keys: tuple[str, ...], optional: tuple[str, ...] = (),
) -> None:  # fmt: skip
    if not isinstance(entry, dict):
        raise ModelError(f"{file.place(path)}: {what} has {', '.join(keys)}")
    for key in entry:
        if key not in (*keys, *optional):
            hint = best_matches(str(key), (*keys, *optional))
            raise ModelError(f"{file.place((*path, str(key)))}: unknown key {key!r}{hint}")
    for key in keys:
        if key not in entry:
            raise ModelError(f"{file.place(path)}: has no {key!r}")


def _text(file: YamlFile, path: Place, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{file.place(path)}: must be a text")
    return " ".join(value.split())


def _sources(file: YamlFile, number: int, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ModelError(f"{file.place((number, 'sources'))}: must be a list of texts")
    return tuple(value)


def _records(file: YamlFile, path: Place, data: Any) -> dict[str, Record]:
    if not isinstance(data, dict):
        raise ModelError(f"{file.place(path)}: must map names to {', '.join(_RECORD)}")
    for name in data:
        if not str(name).isidentifier() or keyword.iskeyword(str(name)) or name in FUNCTIONS:
            where = file.place((*path, str(name)))
            raise ModelError(f"{where}: {name!r} is not a name that a condition can use")
    return {name: _record(file, (*path, name), entry) for name, entry in data.items()}


def _record(file: YamlFile, path: Place, entry: Any) -> Record:
    _require_keys(file, path, entry, "a record", _RECORD)
    value = entry["value"]
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ModelError(f"{file.place((*path, 'value'))}: must be a number")
    unit = _text(file, (*path, "unit"), entry["unit"])
    try:
        base_value(value, unit)
    except ScenarioError as error:
        raise ModelError(f"{file.place((*path, 'unit'))}: {error}") from None
    return Record(float(value), unit, _text(file, (*path, "what"), entry["what"]))


def _conditions(
    file: YamlFile, path: Place, data: Any, records: Mapping[str, Record]
) -> tuple[Condition, ...]:
    if not isinstance(data, list):
        raise ModelError(f"{file.place(path)}: must be a list of {', '.join(_CONDITION)}")
    return tuple(
        _condition(file, (*path, number), entry, records) for number, entry in enumerate(data)
    )


def _condition(file: YamlFile, path: Place, entry: Any, records: Mapping[str, Record]) -> Condition:
    _require_keys(file, path, entry, "a condition", _CONDITION)
    text = _text(file, (*path, "if"), entry["if"])
    because = _text(file, (*path, "because"), entry["because"])
    try:
        return _evaluated(text, because, records)
    except ScenarioError as error:
        raise ModelError(f"{file.place((*path, 'if'))}: {error}") from None


def _evaluated(text: str, because: str, records: Mapping[str, Record]) -> Condition:
    units = {name: record.unit for name, record in records.items()}
    values = {name: base_value(record.value, record.unit) for name, record in records.items()}
    is_number(text, units)
    sides = {
        side: float(evaluate_expression(side, values))
        for side in _computed_sides(text)
        if is_number(side, units)
    }
    return Condition(text, because, holds(text, values), sides)


def _computed_sides(text: str) -> Iterator[str]:
    """The sides of a comparison that are more than a name or a number."""
    tree = parse_expression(text)
    if isinstance(tree, ast.Compare):
        for side in (tree.left, *tree.comparators):
            if not isinstance(side, ast.Name | ast.Constant):
                yield ast.unparse(side)
