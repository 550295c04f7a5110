"""Analyses of samples of functions whose indices are known."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from myelode.errors import ScenarioError
from myelode.sensitivities.densities import pawn_indices, rbd_indices
from myelode.sensitivities.elasticities import elasticities
from myelode.sensitivities.libraries import analyser
from myelode.sensitivities.methods import method_for
from myelode.sensitivities.samples import Parameter, Sample
from myelode.sensitivities.screening import morris_effects
from myelode.sensitivities.tables import indices_of
from myelode.sensitivities.variances import sobol_indices
from myelode.sweeps.designs.orders import Elasticities, Morris, Saltelli
from tests.sensitivities.functions import (
    ISHIGAMI_CUBE,
    Columns,
    ishigami,
    ishigami_indices,
    reading,
    sample,
    sample_of,
)


def _random(points: int) -> dict[str, np.ndarray]:
    return ISHIGAMI_CUBE.from_unit(np.random.default_rng(1).random((points, 3)))


def _corner(x: Columns) -> np.ndarray:
    return np.asarray((x["x1"] > 2.8) & (x["x3"] < 0))


def test_sobol_finds_the_indices_of_pairs_too() -> None:
    points, columns = sample_of(Saltelli(ISHIGAMI_CUBE, 1024, 1, second_order=True))
    found = sobol_indices(points, reading(ishigami(columns)))
    known = ishigami_indices()
    together = known["x1"][1] - known["x1"][0]
    assert abs(found["S2"][0, 2] - together) < found["S2_conf"][0, 2]
    assert abs(found["S2"][0, 1]) < found["S2_conf"][0, 1]
    assert np.array_equal(found["S2"], found["S2"].T, equal_nan=True)


def test_sobol_says_the_same_twice() -> None:
    points, columns = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1))
    one, other = (sobol_indices(points, reading(ishigami(columns))) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_sobol_refuses_missing_points_and_says_where_they_are() -> None:
    points, columns = sample_of(Saltelli(ISHIGAMI_CUBE, 512, 1), _corner)
    said = r"^sobol needs every point: \d+ of 2560 points failed, all with x1 above 2\.\d+ 1/h and"
    with pytest.raises(ScenarioError, match=said + r" x3 below .* use --method pawn or rbd"):
        sobol_indices(points, reading(ishigami(columns), points))


def test_sobol_refuses_endpoints_that_are_never_reached() -> None:
    points, columns = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1))
    values = np.where(columns["x2"] > 3, np.inf, 1.0)
    with pytest.raises(ScenarioError, match=r"points never reach y, all with x2 above (2.9|3)"):
        sobol_indices(points, reading(values))


@pytest.mark.filterwarnings("error")
def test_an_endpoint_that_never_varies_has_no_shares_and_no_warnings() -> None:
    points, _ = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1))
    found = sobol_indices(points, reading(np.full(points.count, 3.3)))
    assert np.isnan(found["ST"]).all()
    result, notes = indices_of(
        points, [reading(np.full(points.count, 3.3))], method_for("saltelli", None)
    )
    assert notes == ["y is the same at every point"]
    assert result["ST"].dims == ("endpoint", "parameter")


def test_morris_ranks_the_parameters_and_tells_bends() -> None:
    points, columns = sample_of(Morris(ISHIGAMI_CUBE, 60, 8, 1))
    plain = columns["x1"] - 0.2 * columns["x3"] / (2 * np.pi)
    found = morris_effects(points, reading(plain))
    assert found["mu"] == pytest.approx([2 * np.pi, 0, -0.2], abs=1e-12)
    assert found["mu_star"] == pytest.approx([2 * np.pi, 0, 0.2], abs=1e-12)
    assert found["sigma"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert (morris_effects(points, reading(ishigami(columns)))["sigma"] > 1).all()


def test_morris_leaves_out_trajectories_with_a_failed_point() -> None:
    points, columns = sample_of(Morris(ISHIGAMI_CUBE, 40, 4, 1), _corner)
    values = 3 * columns["x2"]
    found = morris_effects(points, reading(values, points))
    assert points.failed > 0
    assert found["mu"] == pytest.approx([0, 6 * np.pi, 0], abs=1e-12)
    with pytest.raises(ScenarioError, match="0 of 40"):
        morris_effects(points, reading(np.full(points.count, np.nan)))


def test_elasticities_of_powers_are_their_exponents() -> None:
    base = {"a": 2.0, "b": -3.0, "c": 0.5}
    points, x = sample_of(Elasticities(base, 0.3))
    found = elasticities(points, reading(x["a"] ** 1.5 * x["b"] ** 2 / np.sqrt(x["c"])))
    assert found["elasticity"] == pytest.approx([1.5, 2, -0.5])
    assert found["bend"] == pytest.approx([0, 0, 0], abs=1e-12)
    bent = elasticities(points, reading(1 + x["a"]))
    assert bent["elasticity"][0] == pytest.approx(2 / 3, rel=0.01)
    assert bent["bend"][0] > 0.01


def test_elasticities_of_what_is_not_positive_are_no_numbers() -> None:
    points, x = sample_of(Elasticities({"a": 2.0, "b": 3.0}, 0.3))
    found = elasticities(points, reading(x["a"] - 1.9))
    assert np.isnan(found["elasticity"][0])
    assert found["elasticity"][1] == 0


@pytest.mark.parametrize("lost", [None, _corner])
def test_pawn_and_rbd_do_without_the_points_that_failed(lost: object) -> None:
    columns = _random(2000)
    points = sample("random", columns, lost)  # type: ignore[arg-type]
    seen = reading(ishigami(columns), points)
    pawn, rbd = pawn_indices(points, seen), rbd_indices(points, seen)
    assert np.argsort(-pawn["median"]).tolist() == [1, 0, 2]
    assert (pawn["median"] > pawn["noise"]).all()
    known = [first for first, _ in ishigami_indices().values()]
    assert np.argsort(-rbd["S1"]).tolist() == np.argsort(-np.array(known)).tolist()
    if lost is None:
        assert rbd["S1"] == pytest.approx(known, abs=0.05)


def test_pawn_takes_listed_values() -> None:
    generator = np.random.default_rng(2)
    columns = {"kind": generator.integers(0, 2, 400).astype(float), "idle": generator.random(400)}
    points = sample("random", columns)
    found = pawn_indices(points, reading(columns["kind"]))
    assert found["median"][0] == pytest.approx(0.5, abs=0.05)
    assert found["median"][1] < 0.2


def test_of_a_saltelli_design_only_independent_points_are_ranked() -> None:
    points, columns = sample_of(Saltelli(ISHIGAMI_CUBE, 512, 1), _corner)
    found = rbd_indices(points, reading(ishigami(columns), points))
    assert found["S1"] == pytest.approx([0.314, 0.442, 0], abs=0.08)


def test_too_few_points_are_refused() -> None:
    columns = _random(15)
    points = sample("random", columns)
    with pytest.raises(ScenarioError, match="20 points or more, and 15"):
        pawn_indices(points, reading(ishigami(columns)))
    with pytest.raises(ScenarioError, match="100 points or more, and 15"):
        rbd_indices(points, reading(ishigami(columns)))


def test_methods_follow_from_designs() -> None:
    chosen = {k: method_for(k, None).name for k in ("elasticities", "morris", "saltelli", "random")}
    assert chosen == {
        "elasticities": "elasticities", "morris": "morris", "saltelli": "sobol", "random": "pawn",
    }  # fmt: skip
    assert method_for("saltelli", "rbd").name == "rbd"
    said = "method sobol needs a design saltelli, and this one is grid, of which come pawn or rbd"
    with pytest.raises(ScenarioError, match=said):
        method_for("random", "sobol", "grid")
    with pytest.raises(ScenarioError, match="did you mean 'morris'"):
        method_for("random", "moris")


def test_the_commonest_reason_is_told() -> None:
    values = np.linspace(0, 1, 10)[:, None]
    failed = values[:, 0] > 0.7
    points = Sample(
        "saltelli", {}, (Parameter("k"),), values, failed, ("too stiff", "too stiff", "negative")
    )
    with pytest.raises(ScenarioError, match=r"most often, 2 times: too stiff"):
        sobol_indices(points, reading(np.ones(10), points))


def test_without_salib_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze", None)
    monkeypatch.delitem(sys.modules, "SALib.analyze.sobol", raising=False)
    with pytest.raises(ScenarioError, match=r"needs SALib.*pip install 'myelode\[sensitivity\]'"):
        analyser("sobol")


def test_parameters_are_sorted_by_their_largest_size_and_lost_endpoints_named() -> None:
    points, x = sample_of(Elasticities({"a": 2.0, "b": 3.0, "c": 1.0}, 0.1))
    seen = [reading(x["b"] ** 0.5, label="one"), reading(x["c"] ** -2.0, label="other")]
    result, notes = indices_of(points, seen, method_for("elasticities", None))
    assert result["parameter"].values.tolist() == ["c", "b", "a"]
    assert result["elasticity"].sel(endpoint="other", parameter="c").item() == pytest.approx(-2)
    assert result["parameter_unit"].values.tolist() == ["1/h"] * 3
    assert notes == []


def test_endpoints_that_cannot_be_analysed_are_left_out_unless_nothing_is_left() -> None:
    points, x = sample_of(Saltelli(ISHIGAMI_CUBE, 64, 1))
    lost = reading(np.where(x["x1"] > 3, np.nan, 1.0), label="lost")
    seen = [reading(ishigami(x), label="kept"), lost]
    sobol = method_for("saltelli", None)
    result, [note] = indices_of(points, seen, sobol)
    assert result["endpoint"].values.tolist() == ["kept"]
    assert note.startswith("lost is left out: sobol needs every point")
    with pytest.raises(ScenarioError, match="sobol needs every point"):
        indices_of(points, [lost], sobol)
