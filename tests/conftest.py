"""What all tests share: settings of the libraries, the external checks, and what CI insists on.

Under MYELODE_CI a test may not skip because something is missing from the machine: a skip whose
reason begins with "needs " fails.
"""

from __future__ import annotations

import fcntl
import math
import os
import tarfile
from collections.abc import Callable, Generator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import settings

from myelode import library
from myelode.errors import ScenarioError
from myelode.scenario import load_scenario
from myelode.units import to_unit

ROOT = Path(__file__).resolve().parents[1]
CI = bool(os.environ.get("MYELODE_CI"))

os.environ["MPLBACKEND"] = "Agg"  # set before anything imports matplotlib, here or in a subprocess

settings.register_profile("myelode", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if CI else "myelode")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Scenarios, one of each kind: `exportable_scenario` without conditional steps,
    `conditional_scenario` with them; `shipped` are exportable ones, and models.
    `integrated_scenario` is one of each kind that an integrator can tell apart.
    """
    wanted = _SCENARIOS & set(metafunc.fixturenames)
    kinds = _one_of_each(_kind) if wanted else []
    exportable = [name for name in kinds if not _is_conditional(name)]
    for fixture, names in {
        "integrated_scenario": _one_of_each(_course) if wanted else [],
        "exportable_scenario": exportable,
        "conditional_scenario": [name for name in kinds if _is_conditional(name)],
        "shipped": [*library.models(), *exportable],
    }.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, names)


_SCENARIOS = {"integrated_scenario", "exportable_scenario", "conditional_scenario", "shipped"}


@lru_cache
def _one_of_each(kind: Callable[[str], tuple[object, ...]]) -> list[str]:
    """The shortest of each kind, so that many scenarios alike cost no more time than one."""
    names = sorted(library.scenarios(), key=lambda name: (_hours(name), name), reverse=True)
    return sorted({kind(name): name for name in names}.values())


def _kind(name: str) -> tuple[object, ...]:
    """What tells an exporter one scenario from another: its course, and its axes."""
    scenario = load_scenario(name)
    given = (
        scenario.compounds, scenario.partner, scenario.arms, scenario.inputs,
        scenario.design.dose, scenario.design.subjects, scenario.design.cross, scenario.design.zip,
    )  # fmt: skip
    return (*_course(name), *map(bool, given))


@lru_cache
def _course(name: str) -> tuple[object, ...]:
    """What tells an integrator one scenario from another: variant and steps."""
    scenario = load_scenario(name)
    verbs = {step.verb for steps in scenario.regimens.values() for step in steps}
    begins = scenario.equilibrate is not None
    return (scenario.model, scenario.variant, _is_conditional(name), begins, *sorted(verbs))


def _hours(name: str) -> float:
    until = load_scenario(name).observe.until
    try:
        return to_unit(until, "h", "the end")
    except ScenarioError:  # relative to a label
        return math.inf


@lru_cache
def _is_conditional(name: str) -> bool:
    """Whether a step of the scenario depends on the state of the run."""
    steps = [step for steps in load_scenario(name).regimens.values() for step in steps]
    return any(step.if_ is not None for step in steps)


@pytest.fixture(scope="session")
def external_checks() -> Path:
    """The folder of checks that others wrote: `suite.py`, `adapters/`, `data/`.

    They have licences of their own and stand outside the repository; MYELODE_CHECKS says where.
    """
    default = ROOT.parent / "shared" / "data" / "external-checks"
    folder = Path(os.environ.get("MYELODE_CHECKS", default))
    if not (folder / "suite.py").is_file():
        pytest.skip(f"needs the external checks: set MYELODE_CHECKS, {folder} has none")
    return folder


@pytest.fixture(scope="session")
def external_cases(external_checks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cases of the external checks (`semantic/`, `models/`), unpacked once for all workers."""
    temporary = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        temporary = temporary.parent
    cases = temporary / "external-cases"
    with (temporary / "external-cases.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cases.is_dir():
            unfinished = temporary / "external-cases.unfinished"
            with tarfile.open(external_checks / "external-checks.tar.gz") as archive:
                archive.extractall(unfinished, filter="data")
            unfinished.rename(cases)
    return cases


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_something_is_missing(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_something_is_missing(report)
    return report


def _fail_if_something_is_missing(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (CI and report.skipped and isinstance(report.longrepr, tuple)):
        return
    reason = str(report.longrepr[2]).removeprefix("Skipped: ")
    if reason.startswith("needs "):
        report.outcome = "failed"
        report.longrepr = f"{reason} (MYELODE_CI allows no skip for want of something)"
