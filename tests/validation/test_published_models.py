"""Published models give their published results, through `load_model` and `Model.simulate`.

Fits of the PEtab benchmark collection, models of BioModels, a published series of PROTACs with
amounts near 1e-13, a model of a whole body, and dosing records with the concentrations of NONMEM:
the models of the external checks, judged by their own judge, with default tolerances.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.validation.published_models import judged, problems
from tests.validation.sbml_suite import load_suite

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # of the judge

PROBLEMS, TASKS = 56, 141
GROUPS = 20
"""How many parts the problems are tested in, so that workers share them out."""


@pytest.fixture(scope="session")
def suite(external_checks: Path) -> Any:
    return load_suite(external_checks)


@pytest.mark.parametrize("group", range(GROUPS))
def test_published_results_are_reproduced(group: int, suite: Any, external_cases: Path) -> None:
    found = judged(suite, [*problems(external_cases / "models")][group::GROUPS])
    assert [item for item in found if item["status"] != "passed"] == []


def test_no_problem_is_left_out(external_cases: Path) -> None:
    every = [*problems(external_cases / "models")]
    assert len({problem["problem"] for problem in every}) == PROBLEMS
    assert sum(len(problem["tasks"]) for problem in every) == TASKS


def test_a_wrong_result_is_found(suite: Any, external_cases: Path) -> None:
    [problem] = problems(external_cases / "models" / "dosing" / "dosing_01")
    [task] = problem["tasks"]
    task["rows"] = [row | {"published": 1.01 * row["published"]} for row in task["rows"]]
    [found] = judged(suite, [problem])
    assert found["status"] == "failed"
