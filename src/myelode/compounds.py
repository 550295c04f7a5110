"""The compounds of a model folder: a name for a set of numbers, and what one of them may be dosed.

`compounds.yaml` names them and says how a dose is shared among species; `compounds.tsv` holds one
row per number of a compound. The rows of the default compound are the values in the reactions.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from myelode.entries import list_at, mapping_at, names_at, require_known, text_at
from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import TableRow, YamlFile, read_table, read_yaml
from myelode.parameters import COLUMNS as PARAMETER_COLUMNS
from myelode.parameters import Parameter, read_row
from myelode.regulatory import ATTRIBUTE as REGULATORY
from myelode.regulatory import Statement, read_statement

FILE, TABLE = "compounds.yaml", "compounds.tsv"
COLUMNS = ("compound", *(column for column in PARAMETER_COLUMNS if column != "between_lines"))
_KEYS = ("default", "doses", "molar_masses", "partner", "compounds")
_TEXTS = ("title", "kind", "like", "needs", "refused", "note")
_LISTS = ("aliases", "variants")
MOLAR_MASS = "molar_mass"
"""The key of a dose that is no species: the constant that turns a mass into substance."""
BODY = {"body_weight": "kg", "body_surface": "m^2"}
"""Further such keys: the constants by which a dose per body size becomes a whole one; their units.
"""

Names = Mapping[str, str]
Shares = Mapping[str, str | float]
"""The share of each species in a dose: a number, or the name of a constant."""


@dataclass(frozen=True)
class Compound:
    """A compound: its own rows of the table, and what may be done with it.

    `like` names the compound whose rows hold where it has none of its own; `variants` are those in
    which it can be used, all of them if empty, and `needs` says why; `refused` says why it is for
    no scenario at all.
    """

    name: str
    title: str
    kind: str = ""
    like: str = ""
    needs: str = ""
    refused: str = ""
    note: str = ""
    aliases: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    regulatory: Statement | None = None
    rows: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True)
class Compounds:
    """All compounds of a model.

    `default` is the one whose numbers stand in the reactions; `doses` maps what may be dosed to the
    species among which it is shared, each with its share; `molar_masses` names the molar mass of
    what may be dosed or set in grams too, and `body` the sizes of a body by which a dose may be
    written; `partner` maps a name in the model to the row of a second compound that gives its
    value.
    """

    default: str = ""
    doses: Mapping[str, Shares] = field(default_factory=dict)
    molar_masses: Names = field(default_factory=dict)
    body: Mapping[str, Names] = field(default_factory=dict)
    partner: Names = field(default_factory=dict)
    items: Mapping[str, Compound] = field(default_factory=dict)
    where: str = ""

    def find(self, name: str, variant: str) -> Compound:
        """The compound of that name or alias, for use in a variant.

        Raises ScenarioError for one that is unknown, refused, or of other variants only.
        """
        known = self._by_any_name()
        if not known:
            raise ScenarioError(f"the model has no compounds, and so no {name!r}")
        if name not in known:
            raise ScenarioError(f"unknown compound {name!r}{best_matches(name, known)}")
        compound = known[name]
        if compound.refused:
            raise ScenarioError(f"{compound.name} is not simulated: {compound.refused}")
        if compound.variants and variant not in compound.variants:
            variants = " or ".join(compound.variants)
            reason = compound.needs or f"is no compound of variant {variant}"
            raise ScenarioError(f"{compound.name} {reason}: use variant {variants}")
        return compound

    def knows(self, name: str) -> bool:
        """Whether a compound has that name or alias."""
        return name in self._by_any_name()

    def canonical(self, name: str) -> str:
        """The name of the compound that has this name or alias."""
        return self._by_any_name()[name].name

    @property
    def body_constants(self) -> frozenset[str]:
        """The names of all sizes of a body."""
        return frozenset(name for constants in self.body.values() for name in constants.values())

    def _by_any_name(self) -> dict[str, Compound]:
        aliases = {alias: item for item in self.items.values() for alias in item.aliases}
        return {**aliases, **self.items}

    def lineage(self, name: str) -> list[Compound]:
        """The compound, the one that it is like, the one that this is like, and so on."""
        found = [self.items[name]]
        while found[-1].like:
            found.append(self.items[found[-1].like])
        return found

    def rows(self, name: str) -> dict[str, Parameter]:
        """The rows of a compound, by name: its own, else those of the compound that it is like."""
        found: dict[str, Parameter] = {}
        for compound in reversed(self.lineage(name)):
            found |= compound.rows
        return found


NO_COMPOUNDS = Compounds()


def read_compounds(
    folder: Path, variants: Collection[str], table: Mapping[str, Parameter]
) -> Compounds:
    """The compounds of a model folder, for all variants; none where it has no `compounds.yaml`.

    `table` holds the rows of `parameters.tsv`: what a row there means, it means here too.
    Raises ModelError with file and line for anything unknown, missing or contradictory.
    """
    if not (folder / FILE).exists():
        if (folder / TABLE).exists():
            raise ModelError(f"{folder / TABLE}: its compounds are named in {FILE}, which is not")
        return NO_COMPOUNDS
    file = read_yaml(folder / FILE, ModelError)
    if not isinstance(file.data, dict) or not isinstance(file.data.get("compounds"), dict):
        raise ModelError(f"{file.where}: has {', '.join(_KEYS)}; compounds maps names to texts")
    require_known(file, (), file.data, _KEYS)
    items = {
        str(name): _compound(file, str(name), entry, variants)
        for name, entry in file.data["compounds"].items()
    }
    _require_consistent(file, items)
    default = str(file.data["default"])
    items = _with_rows(folder / TABLE, items, default, table)
    found = Compounds(
        default, _doses(file), _molar_masses(file), _body(file),
        names_at(file, ("partner",), file.data.get("partner")), items, file.where,
    )  # fmt: skip
    for name, row in found.rows(default).items():
        if name in table:
            raise ModelError(f"{row.where}: {name!r} has a row in parameters.tsv already")
    return found


def _compound(file: YamlFile, name: str, entry: Any, variants: Collection[str]) -> Compound:
    path = ("compounds", name)
    if not isinstance(entry, dict) or not entry.get("title"):
        raise ModelError(f"{file.place(path)}: a compound has a title, and may have a kind")
    require_known(file, path, entry, (*_TEXTS, *_LISTS, REGULATORY))
    if not name[:1].isalpha() or set(name) & set("+:. "):
        raise ModelError(f"{file.place(path)}: {name!r} is no name for a compound")
    texts = {key: text_at(file, (*path, key), entry[key]) for key in _TEXTS if key in entry}
    lists = {key: list_at(file, (*path, key), entry[key]) for key in _LISTS if key in entry}
    for variant in lists.get("variants", ()):
        if variant not in variants:
            hint = best_matches(variant, variants)
            raise ModelError(f"{file.place((*path, 'variants'))}: no variant {variant!r}{hint}")
    said = entry.get(REGULATORY)
    statement = None if said is None else read_statement(file, (*path, REGULATORY), said)
    return Compound(name=name, regulatory=statement, **texts, **lists)  # type: ignore[arg-type]


def _require_consistent(file: YamlFile, items: Mapping[str, Compound]) -> None:
    """Refuse a default that is not for every variant, an unknown `like`, a name used twice."""
    default = items.get(str(file.data.get("default")))
    if default is None or default.refused or default.variants:
        raise ModelError(f"{file.place(('default',))}: names a compound that every variant can use")
    taken = set(items)
    for compound in items.values():
        path = ("compounds", compound.name)
        if compound.like:
            _require_lineage(file, compound, items)
        for alias in compound.aliases:
            if alias in taken:
                raise ModelError(f"{file.place((*path, 'aliases'))}: {alias!r} is a name already")
            taken.add(alias)


def _require_lineage(file: YamlFile, compound: Compound, items: Mapping[str, Compound]) -> None:
    """Every compound that it is like exists, and none is like itself."""
    where = file.place(("compounds", compound.name, "like"))
    path = [compound.name]
    while like := items[path[-1]].like:
        if like not in items:
            raise ModelError(f"{where}: unknown compound {like!r}{best_matches(like, items)}")
        if like in path:
            raise ModelError(f"{where}: {' is like '.join([*path, like])}")
        path.append(like)


def _doses(file: YamlFile) -> dict[str, Shares]:
    """The species of each dose, and their shares."""
    found: dict[str, Shares] = {}
    for name, entry in _dose_entries(file).items():
        path = ("doses", name)
        shares = {key: item for key, item in entry.items() if key not in (MOLAR_MASS, *BODY)}
        if not shares or not name.isidentifier():
            raise ModelError(f"{file.place(path)}: maps species to their shares")
        found[name] = {key: _share(file, (*path, key), item) for key, item in shares.items()}
    return found


def _dose_entries(file: YamlFile) -> dict[str, dict[str, Any]]:
    entries = mapping_at(file, ("doses",), file.data.get("doses"))
    return {name: mapping_at(file, ("doses", name), entry) for name, entry in entries.items()}


def _share(file: YamlFile, path: tuple[str, ...], value: Any) -> str | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text_at(file, path, value)
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ModelError(f"{file.place(path)}: a share lies between 0 and 1, and {value} does not")
    return float(value)


def _molar_masses(file: YamlFile) -> dict[str, str]:
    """The molar masses of values of the model, and of doses."""
    found = names_at(file, ("molar_masses",), file.data.get("molar_masses"))
    for name, entry in _dose_entries(file).items():
        if MOLAR_MASS in entry:
            found[name] = text_at(file, ("doses", name, MOLAR_MASS), entry[MOLAR_MASS])
    return found


def _body(file: YamlFile) -> dict[str, Names]:
    """The sizes of a body by which each dose may be written."""
    return {
        name: {key: text_at(file, ("doses", name, key), entry[key]) for key in BODY if key in entry}
        for name, entry in _dose_entries(file).items()
    }


def _with_rows(
    path: Path, items: Mapping[str, Compound], default: str, parameters: Mapping[str, Parameter]
) -> dict[str, Compound]:
    """The compounds with their rows of the table; an empty meaning is that of another row."""
    table = read_table(path, COLUMNS) if path.exists() else []
    meanings = {name: row.meaning for name, row in parameters.items()}
    meanings |= {row["name"]: row["meaning"] for row in table if row["compound"] == default}
    rows: dict[str, dict[str, Parameter]] = {name: {} for name in items}
    for row in table:
        name = row["compound"]
        if name not in items:
            hint = best_matches(name, items)
            raise ModelError(f"{row.where}: {FILE} has no compound {name!r}{hint}")
        if row["name"] in rows[name]:
            raise ModelError(f"{row.where}: {name} has two rows for {row['name']!r}")
        rows[name][row["name"]] = _parameter(row, meanings.get(row["name"], ""))
    return {name: replace(item, rows=rows[name]) for name, item in items.items()}


def _parameter(row: TableRow, meaning: str) -> Parameter:
    """The row as one of a parameter table."""
    said = row["meaning"] or meaning or row["name"].replace("_", " ")
    return read_row(TableRow(row.where, {**row.values, "meaning": said, "between_lines": ""}))
