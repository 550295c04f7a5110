"""What all tests share: settings of the libraries, the external checks, and what CI insists on.

Under MYELODE_CI a test may not skip because something is missing from the machine: a skip whose
reason begins with "needs " fails.
"""

from __future__ import annotations

import fcntl
import os
import tarfile
from collections.abc import Generator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import settings

from myelode import library
from myelode.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[1]
CI = bool(os.environ.get("MYELODE_CI"))

os.environ["MPLBACKEND"] = "Agg"  # set before anything imports matplotlib, here or in a subprocess

settings.register_profile("myelode", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if CI else "myelode")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Scenarios, one of each kind: `shipped_scenario` all, `exportable_scenario` those without
    conditional steps, `conditional_scenario` those with. `shipped`: exportable ones, and models.
    """
    kinds = _scenario_of_each_kind() if _SCENARIOS & set(metafunc.fixturenames) else []
    exportable = [name for name in kinds if not _is_conditional(name)]
    for fixture, names in {
        "shipped_scenario": kinds,
        "exportable_scenario": exportable,
        "conditional_scenario": [name for name in kinds if _is_conditional(name)],
        "shipped": [*library.models(), *exportable],
    }.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, names)


_SCENARIOS = {"shipped_scenario", "exportable_scenario", "conditional_scenario", "shipped"}


@lru_cache(maxsize=1)
def _scenario_of_each_kind() -> list[str]:
    """So that a model with many scenarios alike costs no more time than one with few."""
    names = sorted(library.scenarios(), reverse=True)
    return sorted({_kind(name): name for name in names}.values())


def _kind(name: str) -> tuple[object, ...]:
    """What tells an engine or an exporter one scenario from another: variant, axes and steps."""
    scenario = load_scenario(name)
    given = (
        scenario.compounds, scenario.partner, scenario.arms, scenario.equilibrate, scenario.inputs,
        scenario.design.dose, scenario.design.subjects, scenario.design.cross, scenario.design.zip,
    )  # fmt: skip
    verbs = {step.verb for steps in scenario.regimens.values() for step in steps}
    conditional = _is_conditional(name)
    return (scenario.model, scenario.variant, conditional, *map(bool, given), *sorted(verbs))


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
