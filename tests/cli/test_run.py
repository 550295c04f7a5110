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


LADDER = (
    "design: {dose: {of: pulse, values: [0 uM, 10 nM, 1 uM, 10 uM]}}\n"
    "assays: {mtt: {of: drug, signal: 1 / (1 + abs(x)), detection_limit: 0.01}}\nendpoints:\n"
    "  ic50: {of: mtt, take: ic50, at: 0 h}\n"
    "  early: {of: mtt, take: ic50, at: 9 h}\n"
    "  rise: {of: drug, take: ec50, at: wash-}\n"
    "  best: {of: mtt, take: emax, at: 0 h}\n"
    "  one: {of: drug, take: max, dose: 1 uM}\n"
)


def test_numbers_over_doses_say_what_they_are(
    capsys: pytest.CaptureFixture[str], answer: Answer, change: Change, scenario: Path
) -> None:
    change("endpoints:\n", LADDER)
    none = answer("run", scenario, "--set", "expect=[none.one > 0]")["perturbations"]["none"]
    found = none["endpoints"]
    assert found["ic50"]["flag"] == ""
    assert found["ic50"]["value"] == pytest.approx(1)
    assert found["ic50"]["read_at"] == "0 h"
    assert found["ic50"]["doses"] == "10 nM to 10 uM"
    assert "half of that without drug" in found["ic50"]["definition"]
    assert found["early"]["value"] == "inf"
    assert found["early"]["flag"] == "not reached up to 10 uM"
    assert found["rise"]["read_at"] == "2 h (wash-)"
    assert found["best"] == {
        "value": pytest.approx(10 / 11), "unit": "dimensionless", "read_at": "0 h", "flag": "",
        "definition": "1 - lowest response over that without drug", "doses": "10 nM to 10 uM",
    }  # fmt: skip
    assert found["one"] == {"value": pytest.approx(1), "unit": "umol/L"}
    assert main(["run", str(scenario), "--set", "expect=[none.one > 0]"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "not reached" in shown
    assert "read at 2 h (wash-); doses from 10 nM to 10 uM." in shown


def test_what_lies_below_the_ladder_is_0_with_a_flag_and_told_in_words(
    capsys: pytest.CaptureFixture[str], answer: Answer, change: Change, scenario: Path
) -> None:
    change("endpoints:\n", LADDER.replace("1 / (1 + abs(x))", "1 / (1 + 1000 * abs(x))"))
    change("take: ec50, at: wash-", "take: ec50, at: 0 h")
    change("at: 0 h, label: pulse", "at: 1 h, label: pulse")
    change("{of: mtt, take: ic50, at: 9 h}", "{of: mtt, take: ic50, at: pulse}")
    arguments = ["run", scenario, "--set", "expect=[none.one > 0]"]
    found = answer(*arguments)["perturbations"]["none"]["endpoints"]
    assert found["early"]["value"] == 0
    assert found["early"]["flag"] == "below the lowest dose (10 nM)"
    assert found["rise"]["value"] is None
    assert found["rise"]["flag"] == "no effect"
    assert main([str(argument) for argument in arguments]) == 0
    shown = capsys.readouterr().out
    assert "below 10 nM" in shown
    assert "no effect" in shown


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
