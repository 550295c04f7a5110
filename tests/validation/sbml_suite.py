"""What becomes of the SBML test suite: the judge of the external checks, in this process.

``python -m tests.validation.sbml_suite CASES [--engine ENGINE]`` prints the tables of
docs/engines.md; CASES is the folder with `suite.py` and `semantic/`.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from myelode.errors import MyelodeError
from tests.validation import sbml_adapter

PASSED, FAILED, REFUSED, BROKEN = "passed", "failed", "refused", "broken"
CORE = "1 pharmacology core"

REASONS = {
    "is not supported in formulas": "`delay`",
    "is fast": "fast reactions",
    "flux balance": "flux balance",
    "an algebraic rule": "algebraic rules",
}
"""What is refused, by words of the refusal."""

_REFUSED_TAGS = {"CSymbolDelay", "FastReaction", "fbc"}


@dataclass(frozen=True)
class Verdict:
    """What became of one case, and why it was not passed."""

    case: str
    tier: str
    tags: tuple[str, ...]
    outcome: str
    why: str = ""

    @property
    def reason(self) -> str:
        """For what construct it was refused."""
        return next((name for words, name in REASONS.items() if words in self.why), "other")


def has_refused_construct(tags: Iterable[str]) -> bool:
    """Whether a case has a construct that no engine does, by the tags of the suite."""
    return not _REFUSED_TAGS.isdisjoint(tags)


def load_suite(folder: Path) -> Any:
    """The judge, which stands outside the repository."""
    spec = importlib.util.spec_from_file_location("external_suite", folder / "suite.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verdicts(
    suite: Any, cases: Any, names: Iterable[str], engine: str = "auto"
) -> Iterator[Verdict]:
    """One verdict for each case, in its best SBML level."""
    for name in names:
        meta = cases.meta(name)
        tags = (*meta["componentTags"], *meta["testTags"], *meta["packages"])
        outcome, why = _judged(suite, cases, name, meta["testType"], engine)
        yield Verdict(name, meta["tier"], tags, outcome, why)


def _judged(suite: Any, cases: Any, name: str, kind: str, engine: str) -> tuple[str, str]:
    if kind != "TimeCourse":
        return REFUSED, "flux balance"
    settings = suite.read_settings(cases.text(name, "settings.txt"))
    header, expected = suite.read_results(cases.text(name, "results.csv"))
    path = cases.file(name, f"sbml-{cases.levels(name)[0]}.xml")
    wanted = ("start", "duration", "steps", "variables", "amount", "concentration")
    try:
        rows = sbml_adapter.simulate(path, *(settings[key] for key in wanted), 0, 0, engine)
    except sbml_adapter.Unsupported as refusal:
        return REFUSED, str(refusal)
    except MyelodeError as error:
        return BROKEN, f"{type(error).__name__}: {error}"
    wrong = suite.judge(settings, header, expected, rows)
    return (FAILED, wrong) if wrong else (PASSED, "")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", nargs="+", default=["auto", "ensemble"])
    given = parser.parse_args()
    suite = load_suite(given.folder)
    cases = suite.Cases(str(given.folder))
    found = {engine: [*verdicts(suite, cases, cases.ids, engine)] for engine in given.engine}
    sys.stdout.write("\n".join(_tables(found)) + "\n")


def _tables(found: dict[str, list[Verdict]]) -> Iterator[str]:
    first = next(iter(found.values()))
    for title, groups in (
        ("tier", lambda verdict: [verdict.tier]),
        ("tag", lambda verdict: sorted(set(verdict.tags))),
    ):
        yield f"\n| {title} | cases | " + " | ".join(f"{name} | refused" for name in found) + " |"
        yield "|---|---|" + "---|---|" * len(found)
        totals = Counter(group for verdict in first for group in groups(verdict))
        for group, number in sorted(totals.items()):
            yield f"| {group} | {number} | " + " | ".join(_counts(found, group, groups)) + " |"
    for engine, items in found.items():
        refused = Counter(verdict.reason for verdict in items if verdict.outcome == REFUSED)
        yield f"\n{engine}: {Counter(verdict.outcome for verdict in items)}; {refused}"
        for verdict in items:
            if verdict.outcome in (FAILED, BROKEN) or (verdict.reason == "other" and verdict.why):
                yield f"{verdict.case} {verdict.outcome}: {verdict.why}"


def _counts(found: dict[str, list[Verdict]], group: str, groups: Any) -> Iterator[str]:
    for items in found.values():
        mine = Counter(verdict.outcome for verdict in items if group in groups(verdict))
        yield f"{mine[PASSED]} | {mine[REFUSED]}"


if __name__ == "__main__":
    main()
