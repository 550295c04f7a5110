"""An SBML text as a plain tree of elements, or one clear refusal.

libSBML and libRoadRunner trust their input: some texts kill the process, others never come
back. expat does not, so a text is read here first. What passes is bounded in size and depth,
has no DOCTYPE, and holds only elements that are known to mean something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from myelode.errors import ModelError, UnsupportedModelError

MAX_CHARACTERS = 5_000_000
"""The largest models of BioModels have a few megabytes."""

MAX_DEPTH = 150
"""Parsers, and the formula code behind them, recurse; real models nest about 20 deep."""

MAX_ELEMENTS = 400_000
"""What MAX_CHARACTERS of ordinary SBML hold, several times over."""

MAX_CHILDREN = 10_000
"""Members of one list or terms of one sum; the checks that follow allow fewer."""

MAX_MARKUP = 10_000
"""libRoadRunner searches the text with a recursive regular expression, which overflows the
stack at a tag or comment of about 15,000 characters."""

MAX_MESSAGE = 500
"""Characters of one message, which may quote the file."""

MATHML = "http://www.w3.org/1998/Math/MathML"
PACKAGES = "http://www.sbml.org/sbml/level3/version1/"
READABLE_PACKAGES = ("comp", "l3v2extendedmath")
"""Packages that change the mathematics and that libSBML can turn into core SBML."""

_FREE_TEXT = frozenset({"annotation", "notes", "message"})
_VERSIONS = {
    "1": {"2": "http://www.sbml.org/sbml/level1"},
    "2": {"1": "http://www.sbml.org/sbml/level2"}
    | {version: f"http://www.sbml.org/sbml/level2/version{version}" for version in "2345"},
    "3": {version: f"http://www.sbml.org/sbml/level3/version{version}/core" for version in "12"},
}


@dataclass(frozen=True, slots=True)
class Element:
    """One XML element by local names; libSBML, too, ignores most namespaces.

    Level 1 calls an identifier `name`; here it is always `id`.
    """

    name: str
    attributes: Mapping[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.pieces).strip()

    @property
    def id(self) -> str:
        return self.attributes.get("id", "")

    def all(self, *names: str) -> list[Element]:
        """The children with one of these names."""
        return [child for child in self.children if child.name in names]


def parse_sbml(text: str, where: str) -> Element:
    """The `sbml` element of a text; annotations, notes and messages are left out.

    Raises
    ------
    UnsupportedModelError : the text needs a version or a package that is not read.
    ModelError : the text is no SBML, or could harm the libraries that read it next.
    """
    check_text(text, where, MAX_CHARACTERS)
    _check_markup(text, where)
    return _Reader(where).read(text)


def check_text(text: str, where: str, most: int) -> None:
    """Refuse a text that is too long, empty or marked by some editors."""
    if len(text) > most:
        raise ModelError(f"{where}: {len(text)} characters are too many, at most {most} are read")
    if not text.strip():
        raise ModelError(f"{where}: the file is empty, it should hold a model")
    if text.startswith("\ufeff"):
        raise ModelError(f"{where}: starts with a byte order mark; save it as UTF-8 without one")


def _check_markup(text: str, where: str) -> None:
    """Refuse a tag or comment that is too long; what lies between `<` and `>` is one."""
    line = 1
    for part in text.split(">"):
        start = part.find("<")
        if start >= 0 and len(part) - start > MAX_MARKUP:
            line += part.count("\n", 0, start)
            raise ModelError(
                f"{where}:{line}: a tag or comment of {len(part) - start} characters "
                f"is too long, at most {MAX_MARKUP} are read"
            )
        line += part.count("\n")


class _Reader:
    """Handlers of one expat run; `skipped` is the depth inside free text, 0 outside."""

    def __init__(self, where: str):
        self.where = where
        self.spaces: frozenset[str] = frozenset()
        self.core = ""
        self.is_ascii = True
        self.elements = self.skipped = 0
        self.stack: list[Element] = []
        self.root: Element | None = None
        self.models = 0
        self.parser = expat.ParserCreate("UTF-8", "\n")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self.declaration
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters

    def read(self, text: str) -> Element:
        self.is_ascii = text.isascii()
        try:
            self.parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            reason = expat.errors.messages[error.code]
            raise ModelError(
                f"{self.where}:{error.lineno}: no well-formed XML ({reason})"
            ) from None
        except UnicodeEncodeError:
            raise ModelError(f"{self.where}: holds characters that no UTF-8 text can") from None
        if self.models != 1 or self.root is None or len(self.root.all("model")) != 1:
            raise ModelError(f"{self.where}: {self.models} <model> elements, exactly 1 is needed")
        return self.root

    def refuse(self, reason: str, kind: type[ModelError] = ModelError) -> ModelError:
        return kind(f"{self.where}:{self.parser.CurrentLineNumber}: {reason[:MAX_MESSAGE]}")

    def declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        name = (encoding or "UTF-8").upper()
        harmless = self.is_ascii and name in {"US-ASCII", "ISO-8859-1"}
        if name != "UTF-8" and not harmless:
            raise self.refuse(f"the encoding {encoding!r} is not read; save the file as UTF-8")
        if version != "1.0":
            raise self.refuse(f"XML {version} is not read; save the file as XML 1.0")

    def doctype(self, *_declared: object) -> None:
        raise self.refuse("a DOCTYPE may define entities and read files; remove it")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise self.refuse(f"more than {MAX_ELEMENTS} elements are not read")
        if len(self.stack) + self.skipped >= MAX_DEPTH:
            raise self.refuse(f"elements are nested more than {MAX_DEPTH} deep")
        if self.skipped:
            self.skipped += 1
        else:
            self.open(*_split(name), attributes)

    def open(self, space: str, name: str, attributes: dict[str, str]) -> None:
        if not self.stack:
            self.open_root(space, name, attributes)
        elif space not in self.spaces:
            raise self.refuse(
                f"<{name}> belongs to the unknown namespace {space!r}; "
                "what is not SBML stands inside <annotation>"
            )
        elif name in _FREE_TEXT and space == self.core:
            self.skipped = 1
        else:
            self.models += name == "model"
            self.push(Element(name, self.local(attributes), self.parser.CurrentLineNumber))

    def push(self, element: Element) -> None:
        if self.stack:
            parent = self.stack[-1]
            if len(parent.children) >= MAX_CHILDREN:
                raise self.refuse(f"over {MAX_CHILDREN} elements in one <{parent.name}>")
            parent.children.append(element)
        self.stack.append(element)

    def open_root(self, space: str, name: str, attributes: dict[str, str]) -> None:
        if name != "sbml":
            raise self.refuse(f"the outermost element is <{name}>, SBML starts with <sbml>")
        own = {key: value for key, value in attributes.items() if "\n" not in key}
        self.core = self.core_namespace(own.get("level", ""), own.get("version", ""), space)
        self.spaces = frozenset({self.core, MATHML} | self.packages(attributes))
        self.root = Element(name, own, self.parser.CurrentLineNumber)
        self.push(self.root)

    def core_namespace(self, level: str, version: str, space: str) -> str:
        expected = _VERSIONS.get(level, {}).get(version)
        if expected is None:
            raise self.refuse(
                f"SBML level {level!r} version {version!r} is not read; "
                "levels 1 (version 2), 2 and 3 are",
                UnsupportedModelError,
            )
        if space != expected:
            raise self.refuse(
                f"<sbml> has the namespace {space!r}, "
                f"level {level} version {version} has {expected!r}"
            )
        return expected

    def packages(self, attributes: Mapping[str, str]) -> set[str]:
        """Namespaces of the packages in use; a required one must be readable."""
        named = {_split(key)[0]: value for key, value in attributes.items() if "\n" in key}
        for space, required in named.items():
            package = space.removeprefix(PACKAGES).partition("/")[0]
            if required.strip() not in ("false", "0") and package not in READABLE_PACKAGES:
                raise self.refuse(
                    f"the file requires the SBML package {package!r}, which no engine reads",
                    UnsupportedModelError,
                )
        return set(named)

    def local(self, attributes: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in attributes.items():
            short = _split(key)[1]
            if found.get(short, value) != value:
                raise self.refuse(f"the attribute {short!r} has two values in one element")
            found[short] = value
        if self.root is not None and self.root.attributes["level"] == "1" and "name" in found:
            found["id"] = found["name"]
        return found

    def end(self, _name: str) -> None:
        if self.skipped:
            self.skipped -= 1
        else:
            self.stack.pop()

    def characters(self, data: str) -> None:
        if not self.skipped and data.strip():
            self.stack[-1].pieces.append(data)


def _split(name: str) -> tuple[str, str]:
    space, _, local = name.rpartition("\n")
    return space, local
