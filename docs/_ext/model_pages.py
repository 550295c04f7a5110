"""What a model page says, as Markdown and HTML made from the model's own files.

Every function here is pure: from what `myelode` has read to text. `model_directives` puts the text
into pages when the site is built, so that a page can never be older than the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from mathml import to_mathml

from myelode.claims import VERDICTS, Claim
from myelode.compounds import Compound, Compounds
from myelode.parameters import EVIDENCE, FIXED, Parameter
from myelode.perturbations import Perturbation
from myelode.regimens.named import NamedRegimen
from myelode.validation import Row

if TYPE_CHECKING:
    from myelode.equations import Equations
    from myelode.model import Model

TERMS_PER_LINE = 4
_DOI = re.compile(r"\bdoi:(10\.\d{4,9}/[^\s;,()]+(?:\(\d+\)[^\s;,()]+)*)")
_SUM_BREAK = re.compile(r" (?=[+-] (?:\d+\\,)?v_\{)")


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table inside a frame of its own, which scrolls where it is too wide."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join(["::::{container} wide-table", *lines, "::::"])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def prose(text: str) -> str:
    """Text from a data file as Markdown: nothing in it is markup, and a DOI is a link."""
    parts = _DOI.split(text)
    return "".join(
        f"[doi:{_plain(part)}](https://doi.org/{part})" if number % 2 else _plain(part)
        for number, part in enumerate(parts)
    )


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#$|~^])", r"\\\1", text)


def number(value: float | None) -> str:
    """A number with four digits, or a dash."""
    return "–" if value is None else f"{value:.4g}"


def reactions_html(model: Model, equations: Equations) -> str:
    """Every reaction with its scheme and its rate, as a table of HTML."""
    from myelode.equations.typesetting import typeset

    rows = [
        f"<tr><td><code>{name}</code></td><td>{_scheme(model, name)}</td>"
        f"<td>{_displayed(typeset(rate))}</td></tr>"
        for name, rate in equations.system.rates.items()
    ]
    head = "<tr><th>reaction</th><th>scheme</th><th>rate</th></tr>"
    return f'<div class="wide-table"><table class="docutils">{head}{"".join(rows)}</table></div>'


def _scheme(model: Model, name: str) -> str:
    """``A + B → C``, with ∅ for nothing."""
    scheme = (model.entities[name].equation or "").partition(";")[0]
    return escape(scheme.replace("nothing", "∅").replace("->", "→"))


def derivatives_html(equations: Equations) -> str:
    """The differential equations, through reaction rates."""
    return equations_html(row for row in _rows(equations) if r"\mathrm{d} t" in row[0])


def assignments_html(equations: Equations) -> str:
    """Everything that the model computes at all times, other than reaction rates."""
    return equations_html(
        row for row in _rows(equations) if not row[0].startswith("v_") and r"\frac" not in row[0]
    )


def _rows(equations: Equations) -> Iterator[tuple[str, str]]:
    """Left and right sides of the ``align*`` environment that the equations write."""
    body = equations.latex().split("\n", 1)[1].rsplit("\n", 1)[0]
    for line in body.split(" \\\\\n"):
        left, right = line.split(" &= ", 1)
        yield left.strip(), right.strip()


def equations_html(rows: Iterable[tuple[str, str]]) -> str:
    """Equations below one another, their signs of equality aligned; long sums are broken."""
    lines = []
    for left, right in rows:
        first, *rest = [_displayed(line) for line in broken(right)]
        more = "".join(f'<span class="continued">{line}</span>' for line in rest)
        lines.append(f"<tr><td>{_displayed(left)}</td><td>=</td><td>{first}{more}</td></tr>")
    return f'<div class="equations"><table>{"".join(lines)}</table></div>'


def _displayed(latex: str) -> str:
    """A formula inside a line, with fractions as large as in one that stands alone."""
    return to_mathml(rf"\displaystyle {latex}")


def broken(right: str) -> list[str]:
    """A sum of reaction rates in lines of a few terms each."""
    terms = _SUM_BREAK.split(right)
    return [
        " ".join(terms[start : start + TERMS_PER_LINE])
        for start in range(0, len(terms), TERMS_PER_LINE)
    ]


def parameters(rows: Iterable[Parameter]) -> str:
    """Every number with its spread, its evidence, and its source or the reason for assuming it."""
    cells = (
        (
            f"`{row.name}`",
            f"{row.value:g} {prose('' if row.unit == 'dimensionless' else row.unit)}",
            prose(row.meaning),
            prose(_spread(row)),
            _grounds(row.evidence, row.source, row.note),
        )
        for row in rows
    )
    headers = ("symbol", "value", "meaning", "uncertainty", "evidence")
    return markdown_table(headers, cells)


def _grounds(evidence: str, *texts: str) -> str:
    """The grade of evidence, and what stands behind it."""
    behind = "; ".join(text for text in texts if text)
    return f"*{evidence}*: {prose(behind)}" if behind else f"*{evidence}*"


def _spread(row: Parameter) -> str:
    within = "" if row.low == float("-inf") else f"within {row.low:g} to {row.high:g}"
    return "; ".join(text for text in (row.uncertainty, within) if text)


def evidence(rows: Iterable[Parameter]) -> str:
    """How many numbers have which grade of evidence, from the best known to the least.

    Definitions count for none, as in `myelode.provenance`.
    """
    rows = list(rows)
    counts = Counter(row.evidence for row in rows if row.uncertainty != FIXED)
    total = sum(counts.values())
    cells = (
        (grade, str(counts[grade]), f"{counts[grade] / total:.0%}")
        for grade in EVIDENCE
        if counts[grade]
    )
    table = markdown_table(("grade of evidence", "numbers", "share"), cells)
    rest = f"{len(rows) - total} further numbers are definitions, without uncertainty."
    return f"{table}\n\n{rest}"


def compounds(found: Compounds) -> str:
    """What a scenario may name as its compound, why it may not, and the numbers of each."""
    cells = (
        (f"`{item.name}`<br>{prose(item.title)}", prose(item.kind), prose(_said_of(item)))
        for item in found.items.values()
    )
    names = markdown_table(("name", "kind", "note"), cells)
    return f"{names}\n\n{_numbers_of([item for item in found.items.values() if item.rows])}"


def _numbers_of(items: Sequence[Compound]) -> str:
    """Every number that a compound has of its own, with its evidence: a column per compound."""
    rows = {name: row for item in items for name, row in item.rows.items()}
    cells = (
        (f"`{name}`", prose(_unit(row.unit)), *(_own(item, name) for item in items))
        for name, row in rows.items()
    )
    return markdown_table(("number", "unit", *(item.name for item in items)), cells)


def _own(item: Compound, name: str) -> str:
    row = item.rows.get(name)
    return f"{row.value:g}<br>*{row.evidence}*" if row else ""


def _said_of(item: Compound) -> str:
    said = [f"otherwise as {item.like}"] if item.like else []
    said += [f"also {', '.join(item.aliases)}"] if item.aliases else []
    said += [f"variant {' or '.join(item.variants)} only"] if item.variants else []
    said += [item.note] if item.note else []
    return "; ".join(said + ([f"refused: {item.refused}"] if item.refused else []))


def regimens(found: Iterable[NamedRegimen]) -> str:
    """What a scenario may name as its regimen, since when it is what, and where it is from."""
    cells = (
        (
            f"`{item.name}`<br>{prose(item.title)}",
            prose(f"{item.status} ({item.status_date})"),
            item.evidence,
            prose(item.source),
            prose(item.note),
        )
        for item in found
    )
    return markdown_table(("name", "status", "evidence", "source", "note"), cells)


def changes(items: Iterable[Perturbation]) -> str:
    """Cell lines or perturbations: what each changes, what was published, how well it is known."""
    cells = (
        (
            f"`{item.name}`<br>{prose(item.title)}",
            _changed(item),
            prose("; ".join(text for text in (item.published, item.signature) if text)),
            _grounds(item.evidence, item.source, item.note),
        )
        for item in items
    )
    return markdown_table(("name", "changes", "published; signature", "evidence"), cells)


def _changed(item: Perturbation) -> str:
    parts = [f"`{name}` = {value:.4g}" for name, value in item.set.items()]
    parts += [f"`{name}` × {factor:.4g}" for name, factor in item.scale.items()]
    return ", ".join(parts) or "nothing"


def scenarios(items: Iterable[Mapping[str, str | None]]) -> str:
    """The scenarios that ask a model, by the names that `myelode run` takes."""
    cells = ((f"`{_short(item)}`", prose(item["title"] or "")) for item in items)
    return markdown_table(("scenario", "question"), cells)


def _short(item: Mapping[str, str | None]) -> str:
    return str(item["name"]).rpartition("/")[2]


def claims(items: Iterable[Claim]) -> str:
    """What the source documents say, with the verdict, and what the model does about it."""
    items = list(items)
    counts = Counter(item.verdict for item in items)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return "\n\n".join([f"{len(items)} claims: {summary}.", *map(_claim, items)])


def _claim(item: Claim) -> str:
    """A term, the claim with its verdict, and its definition."""
    sources = prose("; ".join(item.sources)) or "none"
    says = f' ("{prose(item.says)}")' if item.says else ""
    return (
        f"`{item.id}` {prose(item.claim)}{says}: {_verdict(item.verdict)}\n"
        f": Why: {prose(item.because.rstrip('.'))}.\n"
        f"  In the model: {prose(item.in_model.rstrip('.'))}.\n"
        f"  Sources: {sources}.{''.join(_arithmetic(item))}"
    )


def _arithmetic(item: Claim) -> Iterator[str]:
    """The numbers that the document states, and whether what must hold between them does."""
    for name, record in item.records.items():
        yield f"\n  Stated: `{name}` = {prose(str(record))}, {prose(record.what)}."
    for condition in item.must_hold:
        verdict = _verdict("hit", "holds") if condition.holds else _verdict("miss", "violated")
        sides = "".join(f" (`{side}` = {number(x)})" for side, x in condition.sides.items())
        why = prose(condition.because.rstrip("."))
        yield f"\n  Must hold: `{condition.text}`{sides}: {verdict}: {why}."


def _verdict(kind: str, word: str = "") -> str:
    return f"[{word or kind}]{{.verdict-{kind}}}"


def observations(rows: Iterable[Row]) -> str:
    """Published numbers beside simulated ones, hits and misses alike."""
    cells = (
        (
            f"`{row.id}`",
            prose(row.observable),
            f"{number(row.published)} {prose(_unit(row.unit))}".strip(),
            _band(row),
            number(row.simulated),
            _hit(row),
            prose("; ".join(text for text in (row.source, row.note) if text)),
        )
        for row in rows
    )
    headers = ("id", "observable", "published", "band", "here", "verdict", "source, note")
    return markdown_table(headers, cells)


def _hit(row: Row) -> str:
    """Hit or miss, where there is something to compare, and what the row is used for."""
    verdict = "–" if row.hit is None else _verdict("hit" if row.hit else "miss")
    return f"{verdict}<br>{row.use}"


def score(rows: Sequence[Row]) -> str:
    """Hits and misses in words; calibration never counts as evidence."""
    from myelode.validation import score as count

    checks, calibration = count(rows, "check"), count(rows, "calibrate")
    silent = sum(row.hit is None for row in rows)
    return (
        f"Of the rows kept for checking, {checks.hits} hit their band and {checks.misses} miss.\n"
        f"Of the rows that helped to choose the numbers, {calibration.hits} hit and "
        f"{calibration.misses} miss: that is no evidence.\n"
        f"{silent} rows have nothing to compare: they give context, or nothing here computes them."
    )


def _unit(unit: str) -> str:
    return "" if unit in ("dimensionless", "1") else unit


def _band(row: Row) -> str:
    if row.low is None and row.high is None:
        return "–"
    if row.high is None:
        return f"at least {number(row.low)}"
    if row.low is None:
        return f"at most {number(row.high)}"
    return f"{number(row.low)} to {number(row.high)}"
