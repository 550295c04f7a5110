"""From a sweep file to indices: `myelode sensitivity`, and the Python function behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.image import imread

from myelode import sensitivity
from myelode.cli import main
from myelode.errors import ScenarioError
from tests.sensitivities.conftest import WriteSweep
from tests.sensitivities.functions import ishigami_indices, sobol_g_indices

CIRCLE = "{from: -3.141592653589793, to: 3.141592653589793}"
ISHIGAMI = f"{{x1: {CIRCLE}, x2: {CIRCLE}, x3: {CIRCLE}}}"
UNIT = ", ".join(f"x{number}: {{from: 0, to: 1}}" for number in (1, 2, 3, 4))
G_CUBE = f"{{{UNIT}}}"
FEEDS = "{k: {from: 0.1, to: 1.2}, x2: {from: 0.5, to: 2}}"


def _said(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert main(["sensitivity", *map(str, arguments), "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def _error(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["sensitivity", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def _within(found: Mapping[str, Mapping[str, float]], known: Mapping[str, tuple[float, float]]
            ) -> None:  # fmt: skip
    assert set(found) == set(known)
    for name, (first, total) in known.items():
        row = found[name]
        assert row["S1_conf"] < 0.1
        assert row["ST_conf"] < 0.15
        assert abs(row["S1"] - first) < row["S1_conf"], name
        assert abs(row["ST"] - total) < row["ST_conf"], name


def test_the_indices_of_ishigami_lie_in_their_intervals(
    write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(f"design: {{saltelli: {{points: 1024, over: {ISHIGAMI}}}}}\n")
    answer = _said(capsys, sweep, "--of", "ishigami")
    assert (answer["method"], answer["points"], answer["failed"]) == ("sobol", 5120, 0)
    _within(answer["indices"], ishigami_indices())
    assert answer["notice"].startswith("For research")


def test_the_indices_of_the_function_of_sobol_lie_in_their_intervals(
    write_sweep: WriteSweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(f"design: {{saltelli: {{points: 1024, over: {G_CUBE}}}}}\n")
    store, picture = tmp_path / "g.zarr", tmp_path / "g.png"
    answer = _said(capsys, sweep, "--of", "sobol_g", "--store", store, "--plot", picture)
    _within(answer["indices"], sobol_g_indices())
    assert list(answer["indices"]) == ["x1", "x2", "x3", "x4"]
    assert imread(picture).std() > 0.05
    again = _said(capsys, store, "--of", "sobol_g")
    assert again["indices"] == answer["indices"]


def test_pairs_are_told_where_they_were_asked_for(
    write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    saltelli = f"{{points: 256, second_order: true, over: {ISHIGAMI}}}"
    sweep = write_sweep(f"design: {{saltelli: {saltelli}}}\nendpoints: [ishigami]\n")
    answer = _said(capsys, sweep)
    [largest, *_] = answer["endpoints"]["ishigami"]["pairs"]
    assert sorted(largest["parameters"]) == ["x1", "x3"]
    assert main(["sensitivity", str(sweep)]) == 0
    assert "x1 x x3" in capsys.readouterr().out


def test_morris_ranks_the_function_of_sobol(
    write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(f"design: {{morris: {{trajectories: 40, levels: 8, over: {G_CUBE}}}}}\n")
    answer = _said(capsys, sweep, "--of", "sobol_g")
    assert answer["method"] == "morris"
    assert list(answer["indices"]) == ["x1", "x2", "x3", "x4"]
    assert {"mu", "mu_star", "sigma", "mu_star_conf"} <= set(answer["indices"]["x1"])
    sizes = [row["mu_star"] for row in answer["indices"].values()]
    assert sizes[0] > 2 * sizes[2]


def test_elasticities_are_the_exponents_of_a_power(
    write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep("design: {elasticities: {step: 0.05, over: [x3, x2, x4, x1]}}\n")
    answer = _said(capsys, sweep, "--of", "product")
    found = {name: row["elasticity"] for name, row in answer["indices"].items()}
    assert list(found) == ["x1", "x3", "x2", "x4"]
    assert list(found.values()) == pytest.approx([2, -1, 0.5, 0], abs=1e-9)
    assert main(["sensitivity", str(sweep), "--of", "product"]) == 0
    assert "x1" in capsys.readouterr().out


def test_sobol_refuses_failed_points_and_names_their_region(
    write_sweep: WriteSweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(f"design: {{saltelli: {{points: 64, over: {FEEDS}}}}}\n")
    store = tmp_path / "fed.zarr"
    said = _error(capsys, sweep, "--of", "fed", "--store", store)
    assert "sobol needs every point: " in said
    assert "of 256 points failed, all with k above 1 (2000 steps were not enough)" in said
    assert "use --method pawn or rbd" in said
    for method in ("pawn", "rbd"):
        answer = _said(capsys, store, "--of", "fed", "--method", method)
        assert answer["failed"] > 20
        assert next(iter(answer["indices"])) == "k"
        assert "points failed, all with k above 1" in answer["notes"][-1]


@pytest.mark.parametrize("block", [
    "latin_hypercube: {points: 300, over: %s}", "sobol: {points: 512, over: %s}",
    "random: {points: 300, over: %s}",
])  # fmt: skip
def test_pawn_and_rbd_take_any_points(
    block: str, write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(f"design: {{{block % ISHIGAMI}}}\nendpoints: [ishigami]\n")
    found = sensitivity(sweep)
    assert found.attrs["method"] == "pawn"
    assert found["parameter"].values[0] == "x2"
    assert found["median"].attrs["long_name"]
    rbd = sensitivity(sweep, method="rbd")
    assert rbd["S1"].sel(parameter="x2").item() == pytest.approx(0.44, abs=0.12)
    said = _error(capsys, sweep, "--method", "morris")
    name = block.split(":")[0]
    assert f"method morris needs a design morris, and this one is {name}, of which come " in said


def test_entries_of_an_endpoint_are_analysed_one_by_one(write_sweep: WriteSweep) -> None:
    sweep = write_sweep(
        "with: {perturbations: [none, {weak: {scale: {x2: 0.5}}}]}\n"
        "design: {elasticities: {step: 0.01, over: [x1, x2]}}\nendpoints: [fed, product]\n"
    )
    found = sensitivity(sweep)
    labels = ["none.fed", "weak.fed", "none.product", "weak.product"]
    assert found["endpoint"].values.tolist() == labels
    by_label = found["elasticity"].sel(parameter="x1")
    assert by_label.values == pytest.approx([0, 0, 2, 2], abs=1e-9)
    assert isinstance(found, xr.Dataset)


def test_a_run_that_failed_takes_nothing_from_the_other_runs_of_its_point(
    write_sweep: WriteSweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(
        "with: {perturbations: [none, {weak: {scale: {k: 0.1}}}]}\n"
        f"design: {{saltelli: {{points: 64, over: {FEEDS}}}}}\nendpoints: [fed]\n"
    )
    store = tmp_path / "fed.zarr"
    answer = _said(capsys, sweep, "--store", store)
    assert answer["failed"] > 20
    assert list(answer["endpoints"]) == ["weak.fed"]
    assert answer["indices"]["k"]["ST"] == pytest.approx(1, abs=0.05)
    [note] = [note for note in answer["notes"] if "left out" in note]
    assert note.startswith("none.fed is left out: sobol needs every point: ")
    assert "points failed, all with k above 1 (perturbation none: 2000 steps" in note
    both = sensitivity(store, method="pawn")
    assert both["endpoint"].values.tolist() == ["none.fed", "weak.fed"]
    lost, whole = both["used"].values.tolist()
    assert lost < whole == 128


def test_the_report_counts_the_points_behind_each_table(
    write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(
        f"design: {{saltelli: {{points: 64, over: {ISHIGAMI}}}}}\nendpoints: [ishigami]\n"
    )
    assert main(["sensitivity", str(sweep), "--method", "pawn"]) == 0
    said = capsys.readouterr().out
    assert "(320 points)" in said
    assert "PAWN indices of ishigami, from 128 points" in said
    assert "128 of 320 points repeat no others: only these are analysed." in said
    assert main(["sensitivity", str(sweep)]) == 0
    assert "from" not in capsys.readouterr().out.split("S1:")[0]


def test_what_a_sweep_warns_of_is_said_before_the_work_and_in_the_notes(
    write_sweep: WriteSweep, capsys: pytest.CaptureFixture[str]
) -> None:
    over = f"{{x1: {CIRCLE}, x4: {{from: 0, to: 1}}}}"
    sweep = write_sweep(
        f"design: {{random: {{points: 100, over: {over}}}}}\nendpoints: [ishigami]\n"
    )
    idle = "x4 changes nothing of what is kept"
    assert main(["sensitivity", str(sweep)]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"warning: {idle}\n"
    assert f"{idle}.\n" in captured.out
    assert main(["sensitivity", str(sweep), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert idle in sensitivity(sweep).attrs["notes"].split("\n")


def test_workers_change_nothing(write_sweep: WriteSweep) -> None:
    sweep = write_sweep(
        f"design: {{saltelli: {{points: 64, over: {ISHIGAMI}}}}}\nchunk: 50\n"
        "endpoints: [ishigami]\n"
    )
    one, two = sensitivity(sweep), sensitivity(sweep, workers=2)
    assert one.identical(two)


def test_bad_input_is_one_line(
    write_sweep: WriteSweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = write_sweep(f"design: {{saltelli: {{points: 100, over: {ISHIGAMI}}}}}\n")
    assert "64 or 128" in _error(capsys, odd)
    good = write_sweep(f"design: {{saltelli: {{points: 2, over: {ISHIGAMI}}}}}\n")
    assert "did you mean 'ishigami'" in _error(capsys, good, "--of", "ishigama")
    assert "there is no method 'sobl': did you mean 'sobol'" in _error(
        capsys, good, "--method", "sobl"
    )
    zero = write_sweep("with: {set.x1: 0}\ndesign: {elasticities: {over: [x1]}}\n")
    assert "x1 is 0, which has no elasticity" in _error(capsys, zero)
    inside = write_sweep(
        f"design: {{cross: [{{grid: {{k: [0.1, 0.2]}}}}, "
        f"{{morris: {{trajectories: 2, over: {ISHIGAMI}}}}}]}}\n"
    )
    assert "a design morris is analysed alone, not inside cross" in _error(capsys, inside)
    assert "is not the store of a sweep" in _error(capsys, tmp_path)


def test_a_sweep_that_is_not_finished_is_refused(write_sweep: WriteSweep, tmp_path: Path) -> None:
    from myelode.sweeps.plans import plan_sweep
    from myelode.sweeps.stores.store import create

    plan = plan_sweep(write_sweep(f"design: {{saltelli: {{points: 2, over: {ISHIGAMI}}}}}\n"))
    create(tmp_path / "empty.zarr", plan.layout, plan.document)
    with pytest.raises(ScenarioError, match="10 of 10 points are missing: finish it"):
        sensitivity(tmp_path / "empty.zarr")


def test_the_result_is_written_and_read_again(
    write_sweep: WriteSweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep("design: {elasticities: {over: [x1, x2]}}\nendpoints: [product]\n")
    path = tmp_path / "found.nc"
    answer = _said(capsys, sweep, "-o", path)
    assert answer["files"] == {"result": str(path)}
    with xr.open_dataset(path) as found:
        assert found["elasticity"].dims == ("endpoint", "parameter")
        assert np.isfinite(found["elasticity"]).all()
