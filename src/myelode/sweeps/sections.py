"""A sweep file: a scenario, the points at which it runs, and what of them is kept.

The schema in this module is the reference of the language; its JSON Schema ships beside the
scenarios. `load_sweep` reads, validates, and reports faults with file and line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, ValidationError

from myelode.errors import ModelError, ScenarioError
from myelode.faults import first_fault
from myelode.files import YamlFile, parse_yaml, read_text, read_yaml
from myelode.library import beside, find_sweep, sweeps
from myelode.regimens.steps import STRICT, Factor, Identifier
from myelode.sweeps.designs.sections import SECTIONS, DesignBlock

LARGEST_CHUNK = 10**6

_Path = tuple[str | int, ...]


class SweepLimits(BaseModel):
    """When one run is given up."""

    model_config = STRICT

    steps: Annotated[int | None, Field(ge=1)] = None
    seconds: Annotated[Factor | None, Field(gt=0)] = None


def _as_settable(value: Any) -> Any:
    if value is None:
        raise ValueError("there is no value")
    return value


Positive = Annotated[Factor, Field(gt=0)]


class Sweep(BaseModel):
    """A scenario at many points."""

    model_config = STRICT

    id: Identifier
    title: str
    description: str = ""
    scenario: str
    with_: Annotated[
        dict[str, Annotated[Any, BeforeValidator(_as_settable)]], Field(alias="with")
    ] = {}
    design: DesignBlock
    record: list[str] = []
    endpoints: Annotated[list[str] | None, Field(min_length=1)] = None
    engine: str = "auto"
    rtol: Positive | None = None
    atol: Positive | None = None
    reproducible: bool = False
    limits: SweepLimits = SweepLimits()
    chunk: Annotated[int | None, Field(ge=1, le=LARGEST_CHUNK)] = None
    _file: YamlFile | None = PrivateAttr(None)
    _text: str = PrivateAttr("")

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self._text

    @property
    def where(self) -> str:
        """The path of the file, or what it is called in messages."""
        return self._file.where if self._file else self.id

    @property
    def settings(self) -> list[str]:
        """What the sweep sets over its scenario, each as ``path=value``."""
        return [f"{path}={json.dumps(value)}" for path, value in self.with_.items()]

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Errors raised inside say at which place of the file they arose."""
        try:
            yield
        except (ScenarioError, ModelError) as error:
            place = self._file.place(path) if self._file else ".".join(map(str, (self.id, *path)))
            raise type(error)(f"{place}: {error}") from None

    def beside(self, name_or_path: str) -> str:
        """A path as the sweep file means it: relative to its own folder. Names stay names."""
        return name_or_path if self._file is None else beside(self._file.where, name_or_path)


def load_sweep(name_or_path: str | Path) -> Sweep:
    """The sweep of that name or in that file; raises ScenarioError with file, line and key."""
    path = find_sweep(name_or_path)
    return sweep_from_text(read_text(path, ScenarioError), str(path))


def is_sweep(name_or_path: str) -> bool:
    """Whether that is a shipped sweep, or a file with the sections of one."""
    if name_or_path in sweeps():
        return True
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return False
    try:
        data = read_yaml(path).data
    except ScenarioError:
        return False
    return isinstance(data, dict) and "scenario" in data and "model" not in data


def sweep_from_text(text: str, where: str = "sweep") -> Sweep:
    """A sweep from YAML text; paths in it are relative to the folder of the file `where`."""
    file = parse_yaml(text, where)
    if not isinstance(file.data, dict):
        raise ScenarioError(f"{where}: a sweep is a mapping: id, title, scenario, design, ...")
    try:
        sweep = Sweep.model_validate(file.data)
    except ValidationError as error:
        raise ScenarioError(first_fault(file, error, _section_at)) from None
    sweep._file, sweep._text = file, text
    return sweep


def sweep_json_schema() -> dict[str, Any]:
    """The JSON Schema of sweep files, for editors."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**dialect, **Sweep.model_json_schema(by_alias=True)}


def _section_at(path: _Path) -> type[BaseModel]:
    """What may stand at a place of the file."""
    return _SECTIONS.get(path[-1], DesignBlock) if path else Sweep


_SECTIONS: Mapping[str | int, type[BaseModel]] = {**SECTIONS, "limits": SweepLimits}
