"""Keys of chunks: they change with all that changes a number, and with nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import myelode
from myelode.sweeps.documents import read_document
from myelode.sweeps.plans import SweepPlan, plan_again, plan_sweep
from tests.sweeps.decay import plan_of, sweep_of, write_decay

REPOSITORY = Path(__file__).resolve().parents[2]
DESIGN = "grid: {regimen.pulse.to: [1 uM, 2 uM], k: {from: 0.1 1/h, to: 1 1/h, points: 3}}"
MORE = "engine: ensemble\nendpoints: [left]\nchunk: 2\n"
NOISY = "assays:\n  seen: {of: drug, cv: 0.2}\n"
TWO_DOSES = """\
  - {at: 1 h, label: pulse, dose: drug, to: 2 uM}
  - {at: 2 h, label: other, dose: drug, to: 2 uM}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write_decay(tmp_path)


def keys(plan: SweepPlan) -> list[str]:
    return [plan.key(number) for number in range(plan.layout.chunks)]


def edited(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")


SEEN = (("outcome:", NOISY + "outcome:"), ("left: {of: drug,", "left: {of: seen,"))


@pytest.mark.parametrize(
    ("begin", "edit"),
    [
        ((), ("to: 2 uM", "to: 3 uM")),
        ((), ("dilute: 10", "dilute: 20")),
        ((), ("[none, fast]", "[none, fixed]")),
        ((), ("at: wash-}", "at: 4 h}")),
        ((), ("fold < 0.5", "fold < 0.6")),
        ((), ("until: 6 h", "until: 7 h")),
        (SEEN, ("id: pulse", "id: pulse_2")),
        (SEEN, ("cv: 0.2", "cv: 0.1")),
    ],
)
def test_an_edit_that_may_change_a_number_changes_the_keys(
    scenario: Path, begin: tuple[tuple[str, str], ...], edit: tuple[str, str]
) -> None:
    edited(scenario, *begin)
    before = plan_of(scenario, DESIGN, MORE)
    edited(scenario, edit)
    require_all_new(before, plan_of(scenario, DESIGN, MORE))


def require_all_new(before: SweepPlan, after: SweepPlan) -> None:
    assert not {*keys(before)} & {*keys(after)}
    assert read_document(before.document).state != read_document(after.document).state


def test_a_label_that_moves_to_another_dose_changes_the_keys(scenario: Path) -> None:
    one = "  - {at: 1 h, label: pulse, dose: drug, to: 2 uM}\n"
    edited(scenario, (one, TWO_DOSES), ("at: wash-}", "at: pulse + 30 min}"))
    rates = "grid: {k: {from: 0.1 1/h, to: 1 1/h, points: 4}}"
    before = plan_of(scenario, rates, MORE)
    edited(scenario, ("label: pulse", "label: first"), ("label: other", "label: pulse"))
    require_all_new(before, plan_of(scenario, rates, MORE))


def test_what_becomes_of_a_dose_counts_where_none_stands(scenario: Path) -> None:
    edited(scenario, ("to: 2 uM}", "add: 0 uM, bioavailability: 0.9}"))
    design = DESIGN.replace("pulse.to", "pulse.add")
    before = plan_of(scenario, design, MORE)
    edited(scenario, ("bioavailability: 0.9", "bioavailability: 0.3"))
    require_all_new(before, plan_of(scenario, design, MORE))


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("parameters.tsv", ("loss", "what is lost")),
        ("perturbations.yaml", ("k: 0.25 1/h", "k: 0.3 1/h")),
        ("cell_lines.yaml", ("k: 2 1/h", "k: 3 1/h")),
        ("../pulse.yaml", ("title: a dose that decays", "title: another")),
        ("../pulse.yaml", ("id: pulse", "id: pulse_2")),
        ("../pulse.yaml", ("take: auc}", "take: auc, title: area}")),
    ],
)
def test_an_edit_that_changes_no_number_keeps_the_keys(
    scenario: Path, file: str, edit: tuple[str, str]
) -> None:
    before = keys(plan_of(scenario, DESIGN, MORE))
    edited(scenario.parent / "decay" / file, edit)
    assert keys(plan_of(scenario, DESIGN, MORE)) == before


def test_a_perturbation_changes_the_chunks_of_its_points_alone(scenario: Path) -> None:
    design = "grid: {perturbation: [none, fast], k: [0.1 1/h, 0.2 1/h]}"
    before = plan_of(scenario, design, MORE)
    first = keys(before)
    edited(scenario.parent / "decay" / "perturbations.yaml", ("k: 4", "k: 5"))
    after = plan_of(scenario, design, MORE)
    assert [a == b for a, b in zip(first, keys(after), strict=True)] == [True, False]
    assert before.document != after.document


def test_limits_count_where_an_engine_keeps_them(scenario: Path) -> None:
    limits = "limits: {steps: 100000}\n"
    same = [
        keys(plan_of(scenario, DESIGN, more)) == keys(plan_of(scenario, DESIGN, more + limits))
        for more in (MORE, MORE.replace("ensemble", "roadrunner"))
    ]
    assert same == [False, True]


def test_more_points_keep_the_keys_of_the_first_chunks(scenario: Path) -> None:
    few, many = (
        plan_of(scenario, f"sobol: {{points: {n}, over: {{k: {{from: 0.1 1/h, to: 1 1/h}}}}}}",
                "chunk: 4\n")
        for n in (8, 16)
    )  # fmt: skip
    assert keys(many)[:2] == keys(few)


def test_a_table_of_points_is_behind_the_plan(scenario: Path) -> None:
    table = scenario.parent / "points.csv"
    table.write_text("k [1/h]\n0.1\n0.2\n0.3\n", "utf-8")
    before = plan_of(scenario, "table: points.csv", MORE)
    table.write_text("k [1/h]\n0.1\n0.2\n0.4\n", "utf-8")
    after = plan_of(scenario, "table: points.csv", MORE)
    assert before.document != after.document
    assert [a == b for a, b in zip(keys(before), keys(after), strict=True)] == [True, False]


# Draws: keys are made without them


@pytest.fixture
def uncertain(scenario: Path) -> Path:
    table = scenario.parent / "decay" / "parameters.tsv"
    edited(table, ("loss\tfixed", "loss\tlognormal(gsd=1.5)"))
    return scenario


DRAWN = (
    "random: {points: 6, over: uncertainty}",
    "random: {points: 6, over: {k: {spread: uncertainty}}}",
    "morris: {trajectories: 3, over: {k: {spread: uncertainty}}}",
)


@pytest.mark.parametrize("design", DRAWN)
def test_a_changed_spread_changes_the_keys_of_draws(uncertain: Path, design: str) -> None:
    before = keys(plan_of(uncertain, design, MORE))
    assert before == keys(plan_of(uncertain, design, MORE))
    edited(uncertain.parent / "decay" / "parameters.tsv", ("gsd=1.5", "gsd=1.6"))
    assert not {*before} & {*keys(plan_of(uncertain, design, MORE))}


@pytest.mark.parametrize("design", DRAWN)
def test_keys_need_no_draws(uncertain: Path, design: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(uncertain, design, MORE)
    expected = keys(plan_of(uncertain, design, MORE))

    def refuse(self: object, first: int, last: int) -> None:
        raise AssertionError("points were drawn")

    monkeypatch.setattr(type(plan._points), "columns", refuse)
    assert keys(plan) == expected


# Edits while Python goes on, engines, growth


def test_a_model_that_is_edited_between_two_sweeps_is_read_again(scenario: Path) -> None:
    toy = sweep_of(scenario, "grid: {regimen.pulse.to: [1 uM, 2 uM]}", "engine: ensemble\n")
    before = myelode.sweep(toy)["left"].values
    folder = scenario.parent / "decay"
    edited(folder / "decay.ant", ("k = 0.5", "k = 1.5"))
    edited(folder / "parameters.tsv", ("k\t0.5", "k\t1.5"))
    after = myelode.sweep(toy)["left"].values
    np.testing.assert_allclose(after[:, 0], before[:, 0] * np.exp(-2), rtol=1e-6)


def test_all_points_of_a_sweep_go_through_one_engine(scenario: Path) -> None:
    # Alone the points of one run would be few, and those of two runs many.
    rates = "k: {from: 0.1 1/h, to: 1 1/h, points: 30}"
    plans = [
        plan_of(scenario, f"grid: {{perturbation: [{order}], {rates}}}")
        for order in ("none, fast", "fast, none")
    ]
    for plan in plans:
        steps = plan.compute_points(range(60))["steps"]
        assert (steps >= 0).all() == plan.is_threaded
        assert (steps < 0).all() != plan.is_threaded
    assert {plan.engine for plan in plans} == {"ensemble", "roadrunner"}


def test_a_plan_that_is_made_again_takes_the_same_engine(scenario: Path) -> None:
    plan = plan_of(scenario, "grid: {k: {from: 0.1 1/h, to: 1 1/h, points: 300}}")
    again = plan_again(plan.document)
    assert (again.engine, again.document) == (plan.engine, plan.document)


def test_a_small_sweep_may_grow_in_chunks_of_the_same_size(scenario: Path) -> None:
    designs = (f"grid: {{k: {{from: 0.1 1/h, to: 1 1/h, points: {n}}}}}" for n in (10, 3000))
    sizes = [plan_of(scenario, design, "chunk: 1000\n").layout.chunk for design in designs]
    assert sizes == [1000, 1000]


def test_chunks_of_a_store_that_are_far_too_small_are_told(scenario: Path) -> None:
    large = sweep_of(scenario, "grid: {k: {from: 0.1 1/h, to: 1 1/h, points: 20000}}")
    assert plan_sweep(large).remarks == ()
    [said] = plan_sweep(large, chunk=1).remarks
    assert said.startswith("20,000 chunks")
    assert "there would be 20" in said


# The same on every processor


SAID = """\
import sys
from tests.sweeps.decay import plan_of
from pathlib import Path
plan = plan_of(Path(sys.argv[1]), sys.argv[2], "engine: ensemble\\nchunk: 50\\n")
print(*[plan.key(number) for number in range(plan.layout.chunks)])
"""


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_keys_are_the_same_on_every_processor(uncertain: Path, kind: str) -> None:
    over = "{medium: {from: 1 litre, to: 9 litre, spacing: log}, k: {spread: uncertainty}}"
    design = f"{kind}: {{points: 256, over: {over}}}"
    told = [_in_process(uncertain, design, more) for more in ({}, PLAIN)]
    assert told[0] == told[1] != ""


PLAIN = {
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL "
    "AVX512_SPR AVX2 FMA3",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
}
"""Environment of a processor without the instructions by which libraries choose their code."""


def _in_process(scenario: Path, design: str, more: dict[str, str]) -> str:
    command = [sys.executable, "-W", "ignore", "-c", SAID, str(scenario), design]
    environment = {**os.environ, **more}
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
