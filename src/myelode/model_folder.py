"""A folder of `models/`: variants of a model, the parts that make each, and one table of numbers.

The table and the reactions must say the same: every constant has a row, in a unit of the same kind
and with the same value.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from myelode.compound_fit import fit_compounds
from myelode.compounds import Compounds, read_compounds
from myelode.entries import names_at
from myelode.errors import ModelError, best_matches
from myelode.files import YamlFile, read_text, read_yaml
from myelode.parameters import Parameter, read_parameters, require_wholes
from myelode.preflight import check_antimony, refuse_silent_faults
from myelode.preflight.repeats import refuse_repeats_in
from myelode.sbml import Description, Entity, describe, from_antimony
from myelode.units import factor, parse_unit

AGREEMENT = 1e-9
"""Largest relative difference between the table and the reactions: rounding in a conversion."""

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_KEYS = ("title", "parts", "model", "default", "clinical", "excludes", "no_responses")

Variants = Mapping[str, Mapping[str, Any]]
"""The entries of `variants.yaml`, by name."""


@dataclass(frozen=True)
class Form:
    """One variant of a model, read and checked; a clinical one has results for patients.

    `no_responses` says why it is not read as a clinic would; "" where it may be.
    """

    name: str
    title: str
    sbml: str
    description: Description
    parameters: Mapping[str, Parameter]
    compounds: Compounds
    clinical: bool
    no_responses: str


def read_variant(folder: Path, variant: str | None) -> Form:
    """A variant of the model in a folder, the default one where none is named.

    Raises ModelError for anything wrong or missing in the folder.
    """
    variants = read_variants(folder)
    name = chosen_variant(folder, variants, variant)
    sbml = _compose(folder, name, variants[name])
    description = describe(sbml)
    require_values(description, str(folder))
    table = read_parameters(folder / "parameters.tsv")
    elsewhere = stands_elsewhere(folder, name)
    compounds = fit_compounds(
        read_compounds(folder, variants, table), name, description, elsewhere
    )  # fmt: skip
    defaults = compounds.rows(compounds.default) if compounds.default else {}
    parameters = {**_rows_here(table, description, elsewhere), **defaults}
    _require_agreement(folder, parameters, description)
    require_wholes(parameters)
    title = str(variants[name].get("title", folder.name))
    clinical = bool(variants[name].get("clinical"))
    refused = " ".join(variants[name].get("no_responses", "").split())
    return Form(name, title, sbml, description, parameters, compounds, clinical, refused)


def read_variants(folder: Path) -> dict[str, dict[str, Any]]:
    """The structural forms of a model folder, by name: title, parts, ..."""
    file = read_yaml(folder / "variants.yaml", ModelError)
    if not isinstance(file.data, dict) or not file.data:
        raise ModelError(f"{file.where}: must map variant names to their parts")
    for name, entry in file.data.items():
        _require_variant(file, name, entry)
    if sum(bool(entry.get("default")) for entry in file.data.values()) > 1:
        raise ModelError(f"{file.where}: only one variant can be the default")
    for name, entry in file.data.items():
        _require_exclusions(file, str(name), entry.get("excludes"))
    return {str(name): entry for name, entry in file.data.items()}


def _require_exclusions(file: YamlFile, name: str, excludes: Any) -> None:
    """What a variant excludes are others of the file, each with a reason."""
    path = (name, "excludes")
    for other in names_at(file, path, excludes):
        if other == name or other not in file.data:
            hint = best_matches(other, (known for known in file.data if known != name))
            raise ModelError(f"{file.place((*path, other))}: no other variant {other!r}{hint}")


def _require_variant(file: YamlFile, name: Any, entry: Any) -> None:
    place = file.place((str(name),))
    if not isinstance(entry, dict) or not entry.get("parts"):
        raise ModelError(f"{place}: a variant has {', '.join(_KEYS)}")
    for key in entry:
        if key not in _KEYS:
            raise ModelError(f"{place}: unknown key {key!r}{best_matches(str(key), _KEYS)}")
    if not isinstance(entry.get("clinical", False), bool):
        raise ModelError(f"{place}: clinical is true or false")
    reason = entry.get("no_responses", "none")
    if not isinstance(reason, str) or not reason.strip():
        raise ModelError(f"{file.place((str(name), 'no_responses'))}: is the reason, a text")
    parts = entry["parts"]
    if not isinstance(parts, list) or not all(_is_file_name(part) for part in parts):
        raise ModelError(f"{place}: parts is a list of Antimony files beside variants.yaml")


def _is_file_name(part: Any) -> bool:
    return isinstance(part, str) and Path(part).name == part


def default_variant(variants: Variants) -> str:
    """The variant that is meant where none is named."""
    chosen = [name for name, entry in variants.items() if entry.get("default")]
    return chosen[0] if chosen else next(iter(variants))


def chosen_variant(folder: Path, variants: Variants, wanted: str | None) -> str:
    """The variant that is asked for, the default one where none is named.

    Raises ModelError for one that does not exist, and for several, ``a + b``: with the reason
    where one excludes the other.
    """
    if not wanted:
        return default_variant(variants)
    names = list(dict.fromkeys(part.strip() for part in wanted.split("+")))
    for name in names:
        if name not in variants:
            hint = best_matches(name, variants)
            raise ModelError(f"model {folder.name} has no variant {name!r}{hint}")
    for pair in itertools.combinations(names, 2):
        if reason := _exclusion(variants, *pair):
            said = " and ".join(map(repr, pair))
            raise ModelError(f"{said} exclude one another: {reason}; name one")
    if len(names) > 1:
        raise ModelError(f"a scenario has one variant: name {' or '.join(map(repr, names))}")
    return names[0]


def _exclusion(variants: Variants, one: str, other: str) -> str:
    """Why two variants exclude one another, whichever of them says so; "" where neither does."""
    sides = ((one, other), (other, one))
    reasons = ((variants[a].get("excludes") or {}).get(b) for a, b in sides)
    return next((" ".join(reason.split()) for reason in reasons if reason), "")


def owners(folder: Path, variant: str, name: str) -> dict[str, str]:
    """The other variants that have a name, and what it is there: for messages, as it takes long."""
    if not stands_elsewhere(folder, variant)(name):
        return {}
    found: dict[str, str] = {}
    for other, entry in read_variants(folder).items():
        with suppress(ModelError):  # a fault of another variant is not what is asked about
            entities = describe(_compose(folder, other, entry)).entities if other != variant else {}
            if name in entities:
                found[other] = "constant" if is_constant(entities[name]) else entities[name].kind
    return found


def _words_elsewhere(folder: Path, variant: str) -> set[str]:
    """All words outside comments in the parts of the other variants of a model."""
    others = [entry for name, entry in read_variants(folder).items() if name != variant]
    parts = dict.fromkeys(str(part) for entry in others for part in entry["parts"])
    texts = (_COMMENT.sub("", read_text(folder / part)) for part in parts)
    return {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}


def _is_among(name: str, words: Collection[str]) -> bool:
    """Whether words can mean a name: what is inside an instance is called ``instance_name``."""
    if name in words:
        return True
    cuts = (position for position, letter in enumerate(name) if letter == "_")
    return any(name[:cut] in words and _is_among(name[cut + 1 :], words) for cut in cuts)


def stands_elsewhere(folder: Path, variant: str) -> Callable[[str], bool]:
    """Whether a name may be in another variant; their texts are read when it is first asked."""
    words = cache(lambda: _words_elsewhere(folder, variant))
    return lambda name: _is_among(name, words())


def _compose(folder: Path, variant: str, entry: Mapping[str, Any]) -> str:
    """One Antimony text of all parts, translated."""
    where = str(folder / str(entry["parts"][-1]))
    texts = {str(folder / part): read_text(folder / part) for part in entry["parts"]}
    text = "\n".join(texts.values())
    check_antimony(text, where)
    refuse_repeats_in(texts)
    main = re.sub(r"\W", "_", f"{folder.name}_{variant}")
    # Ids are unique in SBML, and a species may bear the name that the model would have.
    main = f"{main}_model" if re.search(rf"\b{main}\b", text) else main
    sbml = from_antimony(text, where, entry.get("model"), main)
    refuse_silent_faults(sbml, f"{where} (as SBML)")
    return sbml


def _rows_here(
    table: Mapping[str, Parameter], description: Description, elsewhere: Callable[[str], bool]
) -> dict[str, Parameter]:
    """The rows that belong to this variant; a row that belongs to none is an error."""
    for name, row in table.items():
        if name not in description.entities and not elsewhere(name):
            hint = best_matches(name, description.entities)
            raise ModelError(f"{row.where}: {name!r} is in no variant of the model{hint}")
    return {name: row for name, row in table.items() if name in description.entities}


def _require_agreement(
    folder: Path, parameters: Mapping[str, Parameter], description: Description
) -> None:
    for fault in _missing(parameters, description):
        raise ModelError(f"{folder}: {fault}")
    for name, row in parameters.items():
        _require_equal(row, description.entities[name])


def _missing(parameters: Mapping[str, Parameter], description: Description) -> Iterator[str]:
    """What the folder does not say, although a shipped model must."""
    if description.time_unit is None:
        yield "declares no unit of time"
    for entity in description.entities.values():
        if entity.id not in parameters and is_constant(entity):
            yield f"parameters.tsv has no row for {entity.id!r}"
        if entity.id not in parameters and _starts_with_a_number(entity):
            yield (
                f"{entity.id!r} starts with a bare {entity.value:g}: "
                "name the number and give it a row in parameters.tsv"
            )
        if entity.kind != "reaction" and entity.unit is None:
            yield f"{entity.id!r} declares no unit"


def _require_equal(row: Parameter, entity: Entity) -> None:
    unit = entity.unit or ""
    if entity.value is None:
        raise ModelError(f"{row.where}: {row.name!r} is computed by the model and needs no row")
    if parse_unit(row.unit).dimensionality != parse_unit(unit).dimensionality:
        raise ModelError(f"{row.where}: {row.name} is in {row.unit!r}, in the model in {unit!r}")
    value = row.value * factor(row.unit, unit)
    if not math.isclose(value, entity.value, rel_tol=AGREEMENT):
        raise ModelError(
            f"{row.where}: {row.name} = {row.value:g} {row.unit}, "
            f"but {entity.value:g} {unit} in the model"
        )


def require_values(description: Description, where: str) -> None:
    """Refuse a parameter that nothing gives a value: most often a misspelt name."""
    for entity in description.entities.values():
        if is_constant(entity) and entity.kind == "parameter" and entity.value is None:
            others = [name for name in description.entities if name != entity.id]
            hint = best_matches(entity.id, others)
            raise ModelError(f"{where}: nothing gives {entity.id!r} a value{hint}")


def is_constant(entity: Entity) -> bool:
    """Whether no rule and no formula gives the value of a parameter or compartment."""
    return (
        entity.kind in ("parameter", "compartment")
        and entity.rule is None
        and not entity.computed_initially
    )


def _starts_with_a_number(entity: Entity) -> bool:
    """Whether a state starts with a number other than zero that stands in the reactions."""
    return bool(entity.value) and (entity.kind == "species" or entity.rule == "rate")
