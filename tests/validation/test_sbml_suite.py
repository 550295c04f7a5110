"""Time courses of the SBML test suite through `load_model` and `Model.simulate`, engine "auto".

The cases are those of the external checks. What is refused is refused for one of three constructs,
none of which stands in the core tier, of what pharmacology models use; all else is passed.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.validation.sbml_suite import (
    CORE,
    PASSED,
    REASONS,
    REFUSED,
    has_refused_construct,
    load_suite,
    verdicts,
)

GROUPS = 24
"""How many parts the suite is tested in, so that workers share them out."""

CASES, CORE_CASES = 899, 549
FEWEST_PASSED = 781
"""As many as libRoadRunner passes by itself."""


@pytest.fixture(scope="session")
def suite(external_checks: Path) -> Any:
    """The judge."""
    return load_suite(external_checks)


@pytest.fixture(scope="session")
def cases(suite: Any, external_cases: Path) -> Any:
    """What is judged; the judge leaves a file to be closed by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        return suite.Cases(str(external_cases))


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_case_is_passed_or_refused_for_its_construct(
    group: int, suite: Any, cases: Any
) -> None:
    found = [*verdicts(suite, cases, cases.ids[group::GROUPS])]
    expected = [REFUSED if has_refused_construct(item.tags) else PASSED for item in found]
    wrong = [item for item, right in zip(found, expected, strict=True) if item.outcome != right]
    assert not wrong
    refused = [item for item in found if item.outcome == REFUSED]
    assert {item.reason for item in refused} <= {*REASONS.values()}


def test_more_cases_can_be_passed_than_libroadrunner_passes(cases: Any) -> None:
    metas = [cases.meta(name) for name in cases.ids]
    passable = [
        meta
        for meta in metas
        if not has_refused_construct((*meta["componentTags"], *meta["testTags"], *meta["packages"]))
    ]
    assert len(metas) == CASES
    assert len(passable) >= FEWEST_PASSED
    assert sum(meta["tier"] == CORE for meta in passable) == CORE_CASES
