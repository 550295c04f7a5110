"""`run`: what scripts rely on, what people read, and the exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myelode.cli import main
from myelode.errors import SimulationError

Answer = Callable[..., dict[str, Any]]
Complaint = Callable[..., str]
Change = Callable[[str, str], Path]


def test_a_run_gives_the_keys_that_scripts_rely_on(answer: Answer, scenario: Path) -> None:
    found = answer("run", scenario)
    assert {"scenario", "engine", "perturbations", "expect", "evidence"} <= set(found)
    assert found["scenario"] == "trial"
    assert found["engine"] == "roadrunner"
    assert found["expect"] == [{"text": "slow.before > none.before", "passed": True}]
    assert "no advice" in found["notice"]
    slow = found["perturbations"]["slow"]
    assert slow["endpoints"]["before"]["unit"] == "umol/L"
    assert slow["endpoints"]["before"]["value"] == pytest.approx(0.6065306597)
    assert slow["outcome"]["class"] == "resistant"
    assert slow["outcome"]["fold"] == pytest.approx(1.6487212707)
    assert slow["outcome"]["reason"] == "before is 1.65 times the reference: fold > 1.1"
    assert found["perturbations"]["none"]["rules"] == {"kind": "gone"}


def test_what_is_not_reached_is_the_text_inf(answer: Answer, scenario: Path) -> None:
    found = answer("run", scenario)
    assert found["perturbations"]["slow"]["endpoints"]["low"] == {"value": "inf", "unit": "h"}


def test_arms_stand_below_their_perturbation_and_the_first_on_top(
    capsys: pytest.CaptureFixture[str], answer: Answer, scenario: Path
) -> None:
    text = scenario.read_text().replace("slow.before > none.before", "none.twice.peak > 1.9")
    head, rest = text.split("regimen:\n")
    once, tail = rest.split("observe:")
    arms = f"arms:\n  once:\n{_indented(once)}  twice:\n{_indented(once).replace('1 uM', '2 uM')}"
    scenario.write_text(f"{head}{arms}observe:{tail}")
    none = answer("run", scenario)["perturbations"]["none"]
    assert list(none["arms"]) == ["once", "twice"]
    assert none["endpoints"] == none["arms"]["once"]["endpoints"]
    assert none["arms"]["twice"]["endpoints"]["peak"]["value"] == pytest.approx(2)
    assert main(["run", str(scenario)]) == 0
    shown = capsys.readouterr().out
    assert "a pulse, and its wash: once" in shown
    assert "a pulse, and its wash: twice" in shown


def _indented(lines: str) -> str:
    return "".join(f"  {line}\n" for line in lines.splitlines())


def test_along_a_dose_ladder_the_table_shows_ranges_and_json_every_value(
    capsys: pytest.CaptureFixture[str], answer: Answer, change: Change, scenario: Path
) -> None:
    ladder = (
        "design: {dose: {of: pulse, from: 1 uM, to: 100 uM, points: 3, zero: true}}\nendpoints:"
    )
    change("endpoints:", ladder)
    change("expect:\n  - slow.before > none.before\n", "")
    none = answer("run", scenario)["perturbations"]["none"]
    assert none["endpoints"]["peak"]["value"] is None
    assert none["endpoints"]["peak"]["along"] == {"dose": pytest.approx([0, 1, 10, 100])}
    assert none["endpoints"]["peak"]["values"] == pytest.approx([0, 1, 10, 100])
    assert none["outcome"]["classes"] == ["undetermined", *["sensitive"] * 3]
    assert main(["run", str(scenario)]) == 0
    shown = capsys.readouterr().out
    assert "0 to 100" in shown
    assert "3 sensitive, 1" in shown


def test_the_report_says_everything(
    capsys: pytest.CaptureFixture[str], scenario: Path, tmp_path: Path
) -> None:
    result = tmp_path / "result.nc"
    assert main(["run", str(scenario), "-o", str(result)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for text in (
        "a pulse, and its wash", "perturbation", "(umol/L)", "slow", "0.6065", "not reached",
        "resistant", "1.649", "met: slow.before > none.before", "Evidence: ", "no advice",
        f"Result: {result}",
    ):  # fmt: skip
        assert text in captured.out


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str], scenario: Path) -> None:
    assert main(["run", str(scenario), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_an_unmet_expectation_gives_3_and_still_the_result(
    capsys: pytest.CaptureFixture[str], answer: Answer, change: Change, scenario: Path
) -> None:
    change("slow.before > none.before", "slow.before < none.before")
    found = answer("run", scenario, code=3)
    assert found["expect"] == [{"text": "slow.before < none.before", "passed": False}]
    assert main(["run", str(scenario)]) == 3
    assert "UNMET: slow.before < none.before" in capsys.readouterr().out


def test_settings_replace_values(answer: Answer, scenario: Path) -> None:
    found = answer("run", scenario, "--set", "k=1 1/h", "--set", "regimen.pulse.add=3 uM")
    none = found["perturbations"]["none"]["endpoints"]
    assert none["before"]["value"] == pytest.approx(0.4060058497)


def test_a_failed_simulation_gives_1_the_time_and_the_reason(
    answer: Answer, complaint: Complaint, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SimulationError("too many steps", 1.5, {"drug": 0.25})

    monkeypatch.setattr("myelode.simulation.run_plan", fail)
    assert "stopped at time 1.5: too many steps" in complaint("run", scenario, code=1)
    found = answer("run", scenario, code=1)["error"]
    assert found["type"] == "SimulationError"
    assert found["time"] == 1.5
    assert found["state"] == {"drug": 0.25}


def test_ctrl_c_gives_130_and_one_line(
    complaint: Complaint, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("myelode.simulation.run_plan", interrupt)
    assert complaint("run", scenario, code=130) == "error: interrupted\n"
