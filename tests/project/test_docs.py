"""The documentation says what the program does: its code runs, and its site builds and links.

Every fenced block of README.md and docs/ is run, page by page, in an empty folder:

- a block whose first line names a file (``# pulse.yaml``) is written to it first;
- ``yaml`` is a scenario, or a list that is a regimen for melflufen;
- ``python`` blocks of a page share their names;
- in ``console``, ``sh`` and ``bash`` the commands of `myelode` run, those at the end of a command
  that sets everything up too: `.ci/run` itself executes the rest;
- a ``text`` block after one of these shows its output, line by line in that order, of which lines
  and columns may be left out.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from matplotlib.image import imread
from pydantic import BaseModel

import myelode
import myelode.assays.sections
import myelode.clinic.sections
from myelode import arm_sections, figure_sections, sections
from myelode.cli import main
from myelode.figures import plot_scenario
from myelode.files import parse_yaml
from myelode.library import scenarios
from myelode.outcomes import check_expectations, evaluate
from myelode.regimens.steps import VERBS, Step
from myelode.scenario import Scenario, load_scenario, scenario_from_text
from myelode.simulation import simulate

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)])
SET_UP = ("python3", "python", "pip", "sudo", "apt", "apt-get", "git", "cd", "sphinx-build")
_FENCE = re.compile(r"^(`{3,}|:{3,})(\{?[\w-]*\}?)[^\n]*\n(.*?)^\1[ ]*$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"(?:#|//) (\S+\.\w+)\n")
_PIECE = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?|[^\d\s]+")
PICTURES = {
    "gamma_h2ax.png": ("gamma_h2ax_washout", []),
    "cross_resistance.png": (
        "cross_resistance",
        [
            "expect=[]",
            "compounds=[lenalidomide, pomalidomide]",
            "perturbations=[none, crbn_silenced_30, affinity_mutant, bypass_igf1]",
        ],
    ),
}
_REGIMEN = """
id: fragment
title: a fragment of a page
model: melflufen
variant: {variant}
regimen: {steps}
observe: {{every: 4 h, until: 100 h, outputs: [{output}]}}
"""
_OUTPUTS = {"dish": "melphalan_cell", "plasma": "melphalan_plasma"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where it stands."""

    language: str
    text: str
    where: str


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match[2], match[3], f"{page.relative_to(ROOT)}:{line}")


def _fragment(steps: list[object]) -> str:
    variant = "plasma" if "plasma" in str(steps) else "dish"
    return _REGIMEN.format(steps=steps, variant=variant, output=_OUTPUTS[variant])


def _run_yaml(block: Block) -> None:
    data = parse_yaml(block.text, block.where).data
    text = _fragment(data) if isinstance(data, list) else block.text
    scenario = scenario_from_text(text, block.where)
    result = evaluate(simulate(scenario))
    unmet = [item.text for item in check_expectations(result, scenario) if not item.passed]
    assert unmet == [], block.where


def _run_python(block: Block, names: dict[str, object]) -> str:
    """What a block prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, block.where, "exec"), names)  # noqa: S102 - our own pages
    return printed.getvalue()


def _commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a block, and the output that stands below it."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language != "console":
        yield from ((line, "") for line in lines if line.strip() and not line.startswith("#"))
        return
    command, output = "", ""
    for line in [*lines, "$ "]:
        if line.startswith("$ "):
            if command:
                yield command, output
            command, output = line[2:].strip(), ""
        else:
            output += line + "\n"


def _run_command(command: str) -> str:
    """What the commands of `myelode` in a line print."""
    printed = io.StringIO()
    for part in command.split(" && "):
        program, *arguments = shlex.split(part, comments=True)
        name = Path(program).name
        assert name in ("myelode", *SET_UP), f"no test runs {command!r}"
        if name == "myelode":
            with contextlib.redirect_stdout(printed):
                assert main(arguments) == 0, part
    return printed.getvalue()


def _require_lines(expected: str, printed: str, where: str) -> None:
    """Every expected line is in a printed one, further down than the one before it."""
    rest = iter(printed.splitlines())
    for line in expected.splitlines():
        if line.strip(" .─"):
            found = any(_is_in(line, actual) for actual in rest)
            assert found, f"{where}: the program does not print (here) {line.strip()!r}"


def _is_in(line: str, actual: str) -> bool:
    """Whether the words of a line are in another, in their order; numbers may differ by 2 %.

    What depends on the machine is written as ``…``.
    """
    rest, wanted = iter(_PIECE.findall(actual)), _PIECE.findall(line.replace("…", " "))
    return all(any(_alike(piece, other) for other in rest) for piece in wanted)


def _alike(piece: str, other: str) -> bool:
    try:
        return float(piece) == pytest.approx(float(other), rel=0.02)
    except ValueError:
        return piece == other


def _run_block(block: Block, names: dict[str, object]) -> str:
    """What a block prints, once the outputs that it shows itself are compared."""
    if named := _FILE.match(block.text):
        Path(named[1]).write_text(block.text, encoding="utf-8")
    printed = ""
    if block.language == "yaml":
        _run_yaml(block)
    elif block.language == "python":
        printed = _run_python(block, names)
    elif block.language in ("console", "sh", "bash"):
        for command, shown in _commands(block):
            printed = _run_command(command)
            _require_lines(shown, printed, block.where)
    return printed


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_code_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    names: dict[str, object] = {"__name__": "page"}
    printed = ""
    for block in _blocks(page):
        if block.language == "text" and printed:
            _require_lines(block.text, printed, block.where)
        printed = _run_block(block, names)


def test_a_page_with_wrong_output_is_found() -> None:
    with pytest.raises(AssertionError, match="does not print"):
        _require_lines("peak 3.0", "peak 2.0\n", "here")
    with pytest.raises(AssertionError, match="does not print"):
        _require_lines("second\nfirst", "first\nsecond\n", "here")
    _require_lines("a 1.00 c\n...\nd", "  a  1.01  b  c\nother\nd\n", "here")


@pytest.mark.parametrize(("name", "settings"), PICTURES.values(), ids=PICTURES)
def test_a_picture_in_the_readme_is_what_its_command_draws(
    name: str, settings: list[str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    dataset = simulate(load_scenario(name, settings))
    plot_scenario(dataset, evaluate(dataset), tmp_path / "now.png")
    drawn = DOCS / "_static" / request.node.callspec.id
    now, then = imread(tmp_path / "now.png"), imread(drawn)
    renew = f"draw {drawn.name} anew with the command in README.md"
    assert now.shape == then.shape, renew
    assert abs(now - then).mean() < 0.001, renew


def test_the_links_of_the_readme_resolve() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    local = [link for link in links if not urlsplit(link).scheme]
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_every_word_of_the_scenario_language_is_explained() -> None:
    parts = [Scenario, Step, *_sections()]
    words = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    words |= {*VERBS, *sections.TAKES.__args__}
    pages = (DOCS / "how-to" / "write-a-scenario.md", DOCS / "semantics.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", text)) == []


def _sections() -> list[type[BaseModel]]:
    """Whatever may stand somewhere in a scenario, but for steps."""
    modules = (
        sections, arm_sections, figure_sections,
        myelode.assays.sections, myelode.clinic.sections,
    )  # fmt: skip
    found = [item for module in modules for item in vars(module).values()]
    return [item for item in found if getattr(item, "model_fields", None)]


def test_every_public_name_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    missing = [
        name for name in myelode.__all__ if name != "__version__" and f"myelode.{name}" not in text
    ]
    assert missing == []


def test_prose_has_one_sentence_per_line() -> None:
    two = re.compile(r"[a-z)`]\. [A-Z]")
    found = [
        f"{page.relative_to(ROOT)}: {line}"
        for page in PAGES
        for line in _FENCE.sub("", page.read_text(encoding="utf-8")).splitlines()
        if two.search(line) and not line.startswith(("|", ":"))
    ]
    assert found == []


class _Links(HTMLParser):
    """What a page points to, what it loads, and the places in it that can be pointed to."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if "src" in found or (tag == "link" and found.get("rel") == "stylesheet"):
            self.loaded.append(found.get("src") or found["href"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


def _pages(site: Path) -> dict[Path, _Links]:
    return {page: _Links(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}


def test_the_site_builds_without_warnings(site: Path) -> None:
    assert {page.stem for page in DOCS.rglob("*.md")} <= {
        page.stem for page in site.rglob("*.html")
    }


def test_all_internal_links_resolve(site: Path) -> None:
    pages = _pages(site)
    broken = [
        f"{page.relative_to(site)}: {link}"
        for page, found in pages.items()
        for link in [*found.links, *found.loaded]
        if not urlsplit(link).scheme and not _resolves(link, page, pages)
    ]
    assert broken == []


def _resolves(link: str, page: Path, pages: dict[Path, _Links]) -> bool:
    parts = urlsplit(link)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    target = target / "index.html" if target.is_dir() else target
    if not parts.fragment or target.suffix != ".html":
        return target.is_file()
    return target in pages and (unquote(parts.fragment) in pages[target].ids)


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = {link for found in _pages(site).values() for link in found.loaded}
    assert loaded
    assert [link for link in loaded if urlsplit(link).scheme or link.startswith("//")] == []


def test_the_melflufen_page_shows_what_its_files_hold(site: Path) -> None:
    text = (site / "models" / "melflufen.html").read_text(encoding="utf-8")
    assert "It does not estimate clinical benefit." in text
    for variant in ("dish", "plasma", "patient"):
        model = myelode.load_model("melflufen", variant)
        names = [*model.parameters, *model.reactions()]
        assert [name for name in names if f">{name}<" not in text] == []
    assert "Lancet" in text  # a source of a claim
    assert "six measurements, in order" in text  # a confusion matrix
    assert text.count("<math") > 100
    assert text.count("<svg role=") == 5  # two schemes made of the reactions, three figures
    assert 'alt="Scheme.' in text


def test_the_cereblon_page_shows_what_its_files_hold(site: Path) -> None:
    text = (site / "models" / "cereblon.html").read_text(encoding="utf-8")
    model = myelode.load_model("cereblon")
    names = [*model.parameters, *model.reactions(), *model.compounds.items]
    assert [name for name in names if f">{name}<" not in text] == []
    assert "IKZF1_lenalidomide" in text  # a series that was fitted
    assert "mechanistic gate" in text  # a confusion matrix
    assert 'alt="Scheme.' in text


def test_the_belantamab_page_shows_what_its_files_hold(site: Path) -> None:
    text = (site / "models" / "belantamab.html").read_text(encoding="utf-8")
    for variant in ("dish", "patient"):
        model = myelode.load_model("belantamab", variant)
        assert [name for name in model.parameters if f">{name}<" not in text] == []
    dish = myelode.load_model("belantamab")
    names = [*dish.reactions(), *dish.compounds.items]
    assert [name for name in names if f">{name}<" not in text] == []
    assert "differs" in text  # a number of a trial that a document has wrong
    assert text.count('<svg role="img"') == text.count('style="max-width: ') >= 4  # natural size
    assert 'alt="Scheme.' in text


@pytest.mark.parametrize(
    ("page", "model", "drug"),
    [
        ("models/belantamab", "belantamab", "belantamab-mafodotin"),
        ("lessons/decoy", "belantamab", "belantamab-mafodotin"),
        ("lessons/dose-and-response", "belantamab", "belantamab-mafodotin"),
        ("models/melflufen", "melflufen", "melflufen"),
        ("lessons/dish-to-patient", "melflufen", "melflufen"),
    ],
)
def test_a_page_on_patients_has_the_regulatory_statement(
    page: str, model: str, drug: str, site: Path
) -> None:
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    statement = myelode.load_model(model).compounds.items[drug].regulatory
    assert statement is not None
    assert statement.date in text
    assert " ".join(statement.statement.split())[:60] in " ".join(text.split())


@pytest.mark.parametrize(
    ("model", "first", "last"),
    [
        ("belantamab", "## The questions", "## What is assumed"),
        ("melflufen", "## Virtual assays", "## How often a rule"),
    ],
)
def test_every_scenario_that_a_page_names_is_shipped(model: str, first: str, last: str) -> None:
    text = (DOCS / "models" / f"{model}.md").read_text(encoding="utf-8")
    questions = text.partition(first)[2].partition(last)[0]
    named = {
        name
        for line in questions.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`(\w+)`", line)
    }
    assert len(named) > 25
    assert named <= {name.partition("/")[2] for name in scenarios() if name.startswith(model)}
