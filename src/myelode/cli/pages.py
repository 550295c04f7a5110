"""Models and scenarios as text for people: what `myelode show` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType

from myelode.cli.tables import numbers, printable, tables, texts
from myelode.regulatory import statement_lines

Data = Mapping[str, Any]


def model_summary(data: Data, width: int) -> Iterator[RenderableType]:
    """Variants, species, reactions, compounds, regimens, cell lines, perturbations of a model."""
    if data["variants"]:
        yield f"variants: {', '.join(data['variants'])} (this is {data['variant']})"
    yield f"time unit: {data['time_unit'] or 'not declared'}"
    species = data["species"]
    columns = [
        texts(key, (item[key] for item in species)) for key in ("name", "title", "compartment")
    ]
    columns.append(numbers("start", (item["value"] for item in species)))
    columns.append(texts("unit", (item["unit"] for item in species)))
    yield from tables("Species", columns, width)
    columns = [
        texts(key, (item[key] for item in data["reactions"])) for key in ("name", "equation")
    ]
    yield from tables("Reactions", columns, width)
    yield from _compound_tables(data, width)
    yield from _regimen_tables(data, width)
    for title in ("cell_lines", "perturbations"):
        yield from _changes_tables(title, data[title], width)
    yield f"{len(data['parameters'])} parameters: --parameters shows them"
    yield f"{len(data['claims'])} claims: --claims shows them"
    if data["trials"]:
        yield f"{len(data['trials'])} published numbers of trials: --trials shows them"
    yield from map(printable, statement_lines(data["regulatory"]))


def _compound_tables(data: Data, width: int) -> Iterator[RenderableType]:
    """What a scenario may name as its compound, and what it can dose."""
    items = data["compounds"]
    if not items:
        return
    columns = [texts(key, (item[key] for item in items)) for key in ("name", "title", "kind")]
    columns.append(texts("use", (_use(item) for item in items)))
    yield from tables("Compounds", columns, width)
    for name, species in data["doses"].items():
        yield f"dose {name}: shared between {' and '.join(species)}"
    yield "--compound NAME shows the numbers of one"


def _regimen_tables(data: Data, width: int) -> Iterator[RenderableType]:
    """The regimens that a scenario may name."""
    items = data["regimens"]
    if items:
        columns = [texts(key, (item[key] for item in items)) for key in ("name", "title")]
        columns.append(texts("status", (f"{i['status']} ({i['status_date']})" for i in items)))
        columns.append(texts("steps", (_inline(item["steps"]) for item in items)))
        yield from tables("Regimens", columns, width)


def _use(item: Data) -> str:
    if item["refused"]:
        return f"refused: {item['refused']}"
    if not item["usable"]:
        return f"variant {' or '.join(item['variants'])} only"
    return "default" if item["default"] else f"like {item['like']}" if item["like"] else ""


def _changes_tables(title: str, items: list[Data], width: int) -> Iterator[RenderableType]:
    if not items:
        return
    columns = [texts(key, (item[key] for item in items)) for key in ("name", "title")]
    columns.append(texts("changes", (_changes(item) for item in items)))
    columns.append(texts("evidence", (item["evidence"] for item in items)))
    yield from tables(title.replace("_", " ").capitalize(), columns, width)


def _changes(item: Data) -> str:
    parts = [f"{name} = {value:g}" for name, value in item["set"].items()]
    return ", ".join(parts + [f"{name} x {value:g}" for name, value in item["scale"].items()])


def scenario_summary(data: Data, width: int) -> Iterator[RenderableType]:
    """What a scenario says, section by section, as it says it."""
    hidden = (
        "name", "id", "title", "species", "parameters", "reactions", "claims", "trials",
        "regulatory", "warnings",
    )  # fmt: skip
    for key, value in data.items():
        if key in hidden:
            continue
        if isinstance(value, str):
            yield printable(f"{key.replace('_', ' ')}: {' '.join(value.split())}")
        elif isinstance(value, dict | list):
            yield f"{key.replace('_', ' ')}:"
            yield from _entries(value)


def _entries(value: dict[str, Any] | list[Any]) -> Iterator[str]:
    """One line per entry of a mapping or list, its inside written in one line."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield printable(f"  {key}: {_inline(item)}")
    else:
        for item in value:
            yield printable(f"  - {_inline(item)}")


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_inline(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(_inline(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def parameter_tables(data: Data, width: int, title: str = "Parameters") -> Iterator[RenderableType]:
    """Every number of a model or compound, how well it is known, and where it is from."""
    rows = data["parameters"]
    columns = [texts("name", (row["name"] for row in rows))]
    columns.append(numbers("value", (row["value"] for row in rows)))
    for key in ("unit", "meaning", "distribution", "evidence", "source"):
        columns.append(texts(key, (row[key] for row in rows)))
    yield from tables(title, columns, width)


def claim_texts(data: Data) -> Iterator[str]:
    """Every claim, its verdict and the reason for it."""
    if not data["claims"]:
        yield "This model has no claims."
    for claim in data["claims"]:
        yield printable(f"{claim['id']}: {claim['claim']} ({claim['document']})")
        if claim["says"]:
            yield printable(f"  the document says: {claim['says']}")
        yield printable(f"  {claim['verdict']}: {claim['because']}")
        yield printable(f"  in the model: {claim['in_model']}")
        yield printable(f"  sources: {'; '.join(claim['sources']) or 'none'}")
        yield from (printable(f"  {line}") for line in _arithmetic(claim))


def _arithmetic(claim: Data) -> Iterator[str]:
    """The numbers of a claim as its document states them, and what must hold between them."""
    for name, record in claim["records"].items():
        yield f"record: {name} = {record['value']:g} {record['unit']}: {record['what']}"
    for condition in claim["must_hold"]:
        verdict = "holds" if condition["holds"] else "VIOLATED"
        sides = ", ".join(f"{side} = {x:.4g}" for side, x in condition["sides"].items())
        shown = f"{verdict} ({sides})" if sides else verdict
        yield f"must hold: {condition['if']}: {shown}: {condition['because']}"


def effective_tables(data: Data, width: int) -> Iterator[RenderableType]:
    """The values of every perturbation that differ from the model, and who set them."""
    for name, rows in data["effective"].items():
        if not rows:
            yield f"{name}: every value as in the model"
            continue
        columns = [texts("name", (row["name"] for row in rows))]
        columns.append(numbers("model", (row["model"] for row in rows)))
        columns.append(numbers("here", (row["value"] for row in rows)))
        columns.append(texts("unit", (row["unit"] for row in rows)))
        columns.append(texts("set by", ("; ".join(row["set_by"]) for row in rows)))
        yield from tables(name, columns, width)
    yield from _conditional_steps(data)


def _conditional_steps(data: Data) -> Iterator[str]:
    """The steps whose occurrences depend on the state of the run, in the words of the scenario."""
    arms = data.get("arms") or {"regimen": data.get("regimen") or []}
    for arm, steps in arms.items():
        for step in steps:
            if "if" in step:
                yield printable(f"{arm}, as the run goes: {_inline(step)}")
