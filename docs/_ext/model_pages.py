"""What a model page says, as Markdown and HTML made from the model's own files.

Every function here is pure: from what `myelode` has read to text. `model_directives` puts the text
into pages when the site is built, so that a page can never be older than the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from mathml import to_mathml

from myelode.claims import Claim
from myelode.parameters import EVIDENCE, Parameter
from myelode.perturbations import Perturbation
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
    return "\n".join(["::::{div} wide-table", *lines, "::::"])


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
    from myelode.typesetting import typeset

    rows = [
        f"<tr><td><code>{name}</code></td><td>{_scheme(model, name)}</td>"
        f"<td>{to_mathml(typeset(rate))}</td></tr>"
        for name, rate in equations.system.rates.items()
    ]
    head = "<tr><th>reaction</th><th>scheme</th><th>rate</th></tr>"
    return f'<div class="wide-table"><table class="docutils">{head}{"".join(rows)}</table></div>'


def _scheme(model: Model, name: str) -> str:
    """``A + B → C``; what comes from nothing or goes to nothing has an empty side."""
    text = model.entities[name].equation or ""
    for arrow in ("<->", "->", "=>"):
        if arrow in text:
            left, right = text.split(arrow, 1)
            sides = [side.strip() or "∅" for side in (left, right.rstrip(";"))]
            sign = "→" if arrow == "=>" else "⇄"
            return escape(f" {sign} ".join(sides))
    return escape(text)


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
        first, *rest = [to_mathml(line) for line in broken(right)]
        more = "".join(f'<span class="continued">{line}</span>' for line in rest)
        lines.append(f"<tr><td>{to_mathml(left)}</td><td>=</td><td>{first}{more}</td></tr>")
    return f'<div class="equations"><table>{"".join(lines)}</table></div>'


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
            row.evidence,
            prose("; ".join(text for text in (row.source, row.note) if text)),
        )
        for row in rows
    )
    headers = ("symbol", "value", "meaning", "uncertainty", "evidence", "source, note")
    return markdown_table(headers, cells)


def _spread(row: Parameter) -> str:
    within = "" if row.low == float("-inf") else f"within {row.low:g} to {row.high:g}"
    return "; ".join(text for text in (row.uncertainty, within) if text)


def evidence(rows: Iterable[Parameter]) -> str:
    """How many numbers have which grade of evidence, from the best known to the least."""
    counts = Counter(row.evidence for row in rows)
    total = sum(counts.values())
    cells = (
        (grade, str(counts[grade]), f"{counts[grade] / total:.0%}")
        for grade in EVIDENCE
        if counts[grade]
    )
    return markdown_table(("grade of evidence", "numbers", "share"), cells)


def changes(items: Iterable[Perturbation]) -> str:
    """Cell lines or perturbations: what each changes, what was published, how well it is known."""
    cells = (
        (
            f"`{item.name}`",
            prose(item.title),
            _changed(item),
            prose("; ".join(text for text in (item.published, item.signature) if text)),
            item.evidence,
            prose("; ".join(text for text in (item.source, item.note) if text)),
        )
        for item in items
    )
    headers = ("name", "what it is", "changes", "published; signature", "evidence", "source, note")
    return markdown_table(headers, cells)


def _changed(item: Perturbation) -> str:
    parts = [f"`{name}` = {value:.4g}" for name, value in item.set.items()]
    parts += [f"`{name}` × {factor:.4g}" for name, factor in item.scale.items()]
    return ", ".join(parts) or "nothing"


def claims(items: Iterable[Claim]) -> str:
    """What the source documents say, with the verdict, and what the model does about it."""
    items = list(items)
    counts = Counter(item.verdict for item in items)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    cells = (
        (
            item.id,
            prose(item.claim),
            _verdict(item.verdict),
            prose(item.because),
            prose(item.in_model),
            prose("; ".join(item.sources)),
        )
        for item in items
    )
    headers = ("id", "claim", "verdict", "because", "in the model", "sources")
    return f"{len(items)} claims: {summary}.\n\n{markdown_table(headers, cells)}"


def _verdict(word: str) -> str:
    return f"[{word}]{{.verdict-{word}}}"


def observations(rows: Iterable[Row]) -> str:
    """Published numbers beside simulated ones, hits and misses alike."""
    cells = (
        (
            row.id,
            prose(row.observable),
            f"{number(row.published)} {prose(_unit(row.unit))}".strip(),
            _band(row),
            number(row.simulated),
            "–" if row.hit is None else _verdict("hit" if row.hit else "miss"),
            row.use,
            prose("; ".join(text for text in (row.source, row.note) if text)),
        )
        for row in rows
    )
    headers = ("id", "observable", "published", "band", "here", "", "use", "source, note")
    return markdown_table(headers, cells)


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
