"""Reading and writing text: sizes are capped, lines are known, nothing is half-written."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from myelode.errors import ModelError, MyelodeError, ScenarioError

LARGEST_FILE = 5_000_000
DEEPEST_YAML = 40
MOST_YAML_NODES = 100_000
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"
_PLAIN_TYPES = {"null", "bool", "int", "float", "str", "seq", "map"}


def read_text(path: Path, error: type[MyelodeError] = ModelError) -> str:
    """The text of a UTF-8 file; raises `error` if it is missing, empty, too large or binary."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise error(f"{path}: is {'a folder' if path.is_dir() else 'no file'}")
        if size > LARGEST_FILE:
            raise error(f"{path}: has {size} bytes, more than the {LARGEST_FILE} that are read")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise error(f"{path}: is not UTF-8 text (byte {problem.start})") from None
    if "\0" in text:
        raise error(f"{path}:{text[: text.index(chr(0))].count(chr(10)) + 1}: has a NUL byte")
    if not text.strip():
        raise error(f"{path}: is empty")
    return text


@dataclass(frozen=True)
class YamlFile:
    """A parsed YAML text: plain data, and the line on which each key stands.

    `lines` maps a path such as ``("regimen", 0, "dose")`` to a line number, counted from 1.
    """

    where: str
    data: Any
    lines: dict[tuple[str | int, ...], int]

    def place(self, path: tuple[str | int, ...]) -> str:
        """``file:line: key`` of a path, or of its closest parent that has a line."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = f":{self.lines[known]}" if known in self.lines else ""
        keys = ".".join(str(part) for part in path)
        return f"{self.where}{line}: {keys}" if keys else f"{self.where}{line}"


def read_yaml(path: Path, error: type[MyelodeError] = ScenarioError) -> YamlFile:
    """The YAML 1.2 file at `path`; a fault is an `error` with line and column."""
    return parse_yaml(read_text(path, error), str(path), error)


def parse_yaml(text: str, where: str, error: type[MyelodeError] = ScenarioError) -> YamlFile:
    """Parse YAML 1.2: plain data only, no aliases, no duplicate keys."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if directive := _DIRECTIVE.search(text):
        line = text.count("\n", 0, directive.start()) + 1
        raise error(f"{where}:{line}: YAML directives are not used here")
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _composer()
    try:
        root = yaml.compose(io.StringIO(text))
        lines = {} if root is None else _lines(root)
        data = None if root is None else yaml.constructor.construct_document(root)
    except DuplicateKeyError as problem:
        raise error(f"{where}:{_line(problem)}: {_first_line(problem.problem)}") from None
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        column = f":{mark.column + 1}" if mark else ""
        raise error(f"{where}:{_line(problem)}{column}: {_first_line(problem.problem)}") from None
    except (YAMLError, ValueError, KeyError, RecursionError) as problem:
        raise error(f"{where}: is not YAML: {_first_line(problem)}") from None
    return YamlFile(where, data, lines)


@lru_cache(maxsize=1)
def _composer() -> Any:
    """What builds the tree of a YAML text, and refuses what no scenario needs while it does so."""
    from ruamel.yaml.composer import Composer, ComposerError
    from ruamel.yaml.events import AliasEvent

    class PlainComposer(Composer):  # type: ignore[misc, unused-ignore]
        depth = 0
        nodes = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.parser.peek_event()
            self.depth += 1
            self.nodes += 1
            if isinstance(event, AliasEvent):
                _refuse("YAML aliases are not used here: write the value out", event)
            if self.depth > DEEPEST_YAML or self.nodes > MOST_YAML_NODES:
                _refuse("is nested or repeated beyond reason", event)
            node = super().compose_node(parent, index)
            if node.tag.removeprefix(_TAG) not in _PLAIN_TYPES:
                _refuse(f"{node.tag.removeprefix(_TAG)!r} is no plain value: quote it", event)
            self.depth -= 1
            return node

    def _refuse(problem: str, event: Any) -> NoReturn:
        raise ComposerError(None, None, problem, event.start_mark)

    return PlainComposer


def _line(problem: Any) -> int:
    mark = problem.problem_mark or problem.context_mark
    return int(mark.line) + 1 if mark else 1


def _first_line(problem: object) -> str:
    return str(problem).strip().split("\n")[0]


def _lines(root: Any) -> dict[tuple[str | int, ...], int]:
    """The line of every key and item, by path."""
    lines: dict[tuple[str | int, ...], int] = {(): root.start_mark.line + 1}
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(root, ())]
    while stack:
        node, path = stack.pop()
        for line, child, child_path in _children(node, path):
            lines[child_path] = line
            stack.append((child, child_path))
    return lines


def _children(
    node: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[int, Any, tuple[str | int, ...]]]:
    if isinstance(node.value, str):
        return
    for position, item in enumerate(node.value):
        if isinstance(item, tuple):
            key, child = item
            yield key.start_mark.line + 1, child, (*path, str(key.value))
        else:
            yield item.start_mark.line + 1, item, (*path, position)


@dataclass(frozen=True)
class TableRow:
    """One row of a tab-separated table, with the line on which it stands."""

    where: str
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]


def read_table(path: Path, columns: tuple[str, ...]) -> list[TableRow]:
    """Rows of a tab-separated file whose header is `columns`; raises ModelError with the line."""
    lines = read_text(path).replace("\r\n", "\n").split("\n")
    header = tuple(cell.strip() for cell in lines[0].split("\t"))
    if header != columns:
        raise ModelError(f"{path}:1: the header must be {' '.join(columns)} (tabs between)")
    numbered = enumerate(lines[1:], start=2)
    return [_row(f"{path}:{number}", line, columns) for number, line in numbered if line.strip()]


def _row(where: str, line: str, columns: tuple[str, ...]) -> TableRow:
    """One line of a table; cells that are missing at its end are empty."""
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) > len(columns):
        raise ModelError(f"{where}: has {len(cells)} cells where {len(columns)} are due")
    padded = cells + [""] * (len(columns) - len(cells))
    return TableRow(where, dict(zip(columns, padded, strict=True)))


def table_text(rows: Iterable[Iterable[str]]) -> str:
    """Rows of cells as lines with tabs between."""
    return "".join("\t".join(row) + "\n" for row in rows)


def write_table(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write rows of cells as lines with tabs between: all of them or nothing."""
    text = table_text(rows)

    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8", newline="")

    write_atomically(path, write)


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it: all or nothing."""
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
    except OSError as problem:
        raise ScenarioError(f"{path}: cannot be written: {problem.strerror}") from None
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as problem:
        raise ScenarioError(f"{path}: cannot be written: {problem.strerror or problem}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
