"""The compounds of a model folder: a name for a set of numbers, and what one of them may be dosed.

`compounds.yaml` names them and says how a dose is shared among species; `compounds.tsv` holds one
row per number of a compound. The rows of the default compound are the values in the reactions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from myelode.errors import ModelError, ScenarioError, best_matches
from myelode.files import TableRow, YamlFile, read_table, read_yaml
from myelode.parameters import COLUMNS as PARAMETER_COLUMNS
from myelode.parameters import Parameter, read_row

FILE, TABLE = "compounds.yaml", "compounds.tsv"
COLUMNS = ("compound", *(column for column in PARAMETER_COLUMNS if column != "between_lines"))
_KEYS = ("default", "doses", "partner", "compounds")
_TEXTS = ("title", "kind", "like", "needs", "refused", "note")
_LISTS = ("aliases", "variants")
MOLAR_MASS = "molar_mass"
"""The key of a dose that is no species: the constant that turns a mass into substance."""

Names = Mapping[str, str]


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
    rows: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True)
class Compounds:
    """All compounds of a model.

    `default` is the one whose numbers stand in the reactions; `doses` maps what may be dosed to the
    species among which it is shared, each with the name of its share; `molar_masses` names the
    molar mass of what may be dosed in grams too; `partner` maps a name in the model to the row of
    a second compound that gives its value.
    """

    default: str = ""
    doses: Mapping[str, Names] = field(default_factory=dict)
    molar_masses: Names = field(default_factory=dict)
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
    _require_known(file, (), file.data, _KEYS)
    items = {
        str(name): _compound(file, str(name), entry, variants)
        for name, entry in file.data["compounds"].items()
    }
    _require_consistent(file, items)
    default = str(file.data["default"])
    items = _with_rows(folder / TABLE, items, default, table)
    doses = _doses(file)
    masses = {
        name: shares.pop(MOLAR_MASS) for name, shares in doses.items() if MOLAR_MASS in shares
    }
    _require_species(file, doses)
    found = Compounds(default, doses, masses, _partner(file), items, file.where)
    for name, row in found.rows(default).items():
        if name in table:
            raise ModelError(f"{row.where}: {name!r} has a row in parameters.tsv already")
    return found


def _require_known(
    file: YamlFile, path: tuple[str, ...], entry: Mapping[Any, Any], keys: Collection[str]
) -> None:
    for key in entry:
        if key not in keys:
            hint = best_matches(str(key), keys)
            raise ModelError(f"{file.place((*path, str(key)))}: unknown key {key!r}{hint}")


def _compound(file: YamlFile, name: str, entry: Any, variants: Collection[str]) -> Compound:
    path = ("compounds", name)
    if not isinstance(entry, dict) or not entry.get("title"):
        raise ModelError(f"{file.place(path)}: a compound has a title, and may have a kind")
    _require_known(file, path, entry, (*_TEXTS, *_LISTS))
    if not name[:1].isalpha() or set(name) & set("+:. "):
        raise ModelError(f"{file.place(path)}: {name!r} is no name for a compound")
    texts = {key: _text(file, (*path, key), entry[key]) for key in _TEXTS if key in entry}
    lists = {key: _list(file, (*path, key), entry[key]) for key in _LISTS if key in entry}
    for variant in lists.get("variants", ()):
        if variant not in variants:
            hint = best_matches(variant, variants)
            raise ModelError(f"{file.place((*path, 'variants'))}: no variant {variant!r}{hint}")
    return Compound(name=name, **texts, **lists)  # type: ignore[arg-type]


def _text(file: YamlFile, path: tuple[str, ...], value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{file.place(path)}: must be a text")
    return " ".join(value.split())


def _list(file: YamlFile, path: tuple[str, ...], value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ModelError(f"{file.place(path)}: must be a list of names")
    return tuple(value)


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


def _doses(file: YamlFile) -> dict[str, dict[str, str]]:
    """Each dose as it is written: species and their shares, and its molar mass where it has one."""
    entries = _mapping(file, ("doses",), file.data.get("doses"))
    return {name: _names(file, ("doses", name), entry) for name, entry in entries.items()}


def _require_species(file: YamlFile, doses: Mapping[str, Names]) -> None:
    for name, shares in doses.items():
        if not shares or not name.isidentifier():
            raise ModelError(f"{file.place(('doses', name))}: maps species to their shares")


def _partner(file: YamlFile) -> Names:
    return _names(file, ("partner",), file.data.get("partner"))


def _names(file: YamlFile, path: tuple[str, ...], value: Any) -> dict[str, str]:
    found = _mapping(file, path, value)
    return {name: _text(file, (*path, name), item) for name, item in found.items()}


def _mapping(file: YamlFile, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise ModelError(f"{file.place(path)}: must map names to names")
    return {str(name): item for name, item in (value or {}).items()}


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
