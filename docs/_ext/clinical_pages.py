"""What a model page says of patients: published numbers of trials, and regulatory statements."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from model_pages import markdown_table, number, prose

from myelode.trials import TrialNumber

NO_BREAK = "\N{NON-BREAKING HYPHEN}"
_DATE = re.compile(r"\b\d{4}(-\d\d){1,2}\b")


def trials(rows: Iterable[TrialNumber]) -> str:
    """A table for each trial; what a source document printed is marked where it differs."""
    by_trial: dict[str, list[TrialNumber]] = {}
    for row in rows:
        by_trial.setdefault(row.trial, []).append(row)
    return "\n\n".join(f"**{prose(name)}**\n\n{_trial(found)}" for name, found in by_trial.items())


def _trial(rows: Sequence[TrialNumber]) -> str:
    headers = ("arm", "measure", "published", "interval", "cut-off", "a document says", "source")
    return markdown_table(headers, map(_cells, rows))


def _cells(row: TrialNumber) -> tuple[str, ...]:
    unit = "" if row.unit == "1" or math.isinf(row.value) else f" {prose(row.unit)}"
    behind = "; ".join(text for text in (row.source, row.note) if text)
    return (
        prose(row.arm),
        prose(row.measure.replace("_", " ")),
        f"{_reached(row.value)}{unit}",
        _interval(row),
        _unbroken_dates(prose(row.cut_off)),
        _of_document(row),
        f"*{row.evidence}*: {prose(behind)}",
    )


def _unbroken_dates(text: str) -> str:
    """The text with hyphens at which no line of a narrow column breaks, in its dates."""
    return _DATE.sub(lambda date: date[0].replace("-", NO_BREAK), text)


def _reached(value: float | None) -> str:
    return "not reached" if value == math.inf else number(value)


def _interval(row: TrialNumber) -> str:
    """``21.7 to 43.6 (97.5 %)``."""
    if row.low is None and row.high is None:
        return "–"
    level = f" ({row.level:g} %)" if row.level is not None else ""
    return f"{_reached(row.low)} to {_reached(row.high)}{level}"


def _of_document(row: TrialNumber) -> str:
    said = prose(row.document_value)
    return f"[differs]{{.verdict-miss}}: {said}" if row.differs else said


def statements(found: Iterable[Mapping[str, str | None]]) -> str:
    """What authorities said of each compound, and when."""
    cells = (
        (f"`{item['compound']}`", item["date"] or "–", prose(str(item["statement"])))
        for item in found
    )
    return markdown_table(("compound", "date", "regulatory statement"), cells)
