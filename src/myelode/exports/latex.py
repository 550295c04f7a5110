"""The equations of a run, with its values and its regimen, as a LaTeX document."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from myelode.datasets import NOTICE
from myelode.equations import derive
from myelode.exports.selection import run_label
from myelode.exports.standalone import require_certain, values_at_zero
from myelode.plan import Plan, PlannedRun
from myelode.regimens.timeline import Change, Instant

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "#": r"\#", "%": r"\%",
    "&": r"\&", "$": r"\$", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
_SIGNS = {
    "µ": r"\textmu{}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\to$",
    "−": r"$-$",
    "×": r"$\times$",
}
_PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\usepackage{amsmath}
\usepackage{longtable}
\usepackage[a3paper,landscape,margin=15mm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
"""


def latex_document(plan: Plan, planned: PlannedRun) -> str:
    """A document that compiles by itself: title, equations, values at time zero, regimen."""
    require_certain(plan, planned)
    label = [text] if (text := run_label(plan, planned)) else []
    parts = [
        _PREAMBLE + r"\begin{document}",
        rf"\section*{{{latex_text(plan.scenario.title)}}}",
        latex_text(", ".join([f"Model {plan.model.name}", *label]) + f". {NOTICE}"),
        r"\subsection*{Equations}",
        # Rates with several saturations are long, and LaTeX does not break them.
        r"{\footnotesize",
        derive(plan.sbml).latex(),
        "}",
        r"\subsection*{Values at time zero}",
        _table("llll", _rows(plan, planned)),
    ]
    later = [instant for instant in planned.run.timeline.instants if instant.time > 0]
    if later:
        parts += [r"\subsection*{Regimen after time zero}", _table("ll", _acts(plan, later))]
    return "\n\n".join([*parts, r"\end{document}"]) + "\n"


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it stands; letters that it has no sign for become ``?``."""
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter.isascii():
        return _SPECIAL.get(letter, letter)
    if letter in _SIGNS:
        return _SIGNS[letter]
    words = unicodedata.name(letter, "").split()
    if words[:3] == ["GREEK", "SMALL", "LETTER"] and len(words) == 4:
        return rf"$\{words[3].lower()}$"
    return letter if letter in letter.encode("cp1252", "ignore").decode("cp1252") else "?"


def _table(columns: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([rf"\begin{{longtable}}{{{columns}}}", *lines, r"\end{longtable}"])


def _rows(plan: Plan, planned: PlannedRun) -> Iterator[tuple[str, str, str, str]]:
    for name, value in values_at_zero(plan, planned).items():
        infusion = name not in plan.model.entities
        unit = None if infusion else plan.model.unit_of(name)
        meaning = "rate of the infusion" if infusion else plan.model.label_of(name)
        yield _code(name), _number(value), latex_text(unit or ""), latex_text(meaning)


def _acts(plan: Plan, instants: Sequence[Instant]) -> Iterator[tuple[str, str]]:
    unit = latex_text(plan.model.time_unit or "")
    for instant in instants:
        acts = ["back to the start"] if instant.reset else []
        acts += ["steady state of the repeated doses"] if instant.steady else []
        acts += [_act(change) for change in instant.changes]
        for number, act in enumerate(acts):
            yield f"{_number(instant.time)} {unit}" if number == 0 else "", act


def _act(change: Change) -> str:
    """``X`` becomes ``0.001 X + 2``."""
    terms = []
    if change.factor != 0:
        factor = "" if change.factor == 1 else _number(change.factor) + " "
        terms.append(factor + _code(change.target))
    if change.offset or not terms:
        terms.append(_number(change.offset))
    return f"{_code(change.target)} becomes {' + '.join(terms)}"


def _code(name: str) -> str:
    return rf"\texttt{{{latex_text(name)}}}"


def _number(value: float) -> str:
    digits, _, exponent = f"{value:.6g}".partition("e")
    return rf"${digits}\times 10^{{{int(exponent)}}}$" if exponent else f"${digits}$"
