"""Where lost points lie, in words that are true of the points."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from myelode.sensitivities.regions import failing_region
from myelode.sensitivities.samples import Parameter

PARAMETERS = (Parameter("k_H", "", "1/h"), Parameter("other"))


def _points(many: int = 1000) -> np.ndarray:
    return np.random.default_rng(3).random((many, 2))


def _words(*words: str) -> tuple[Parameter, ...]:
    return (Parameter("perturbation", words=words), Parameter("k_H", "", "1/h"))


def test_a_threshold_beyond_which_all_are_lost() -> None:
    values = _points()
    assert failing_region(PARAMETERS, values, values[:, 0] > 0.9) == "all with k_H above 0.9 1/h"
    mostly = (values[:, 0] < 0.2) & (np.arange(1000) % 2 == 0)
    found = failing_region(PARAMETERS, values, mostly)
    assert re.fullmatch(r"all with k_H below 0\.(19\d*|2) 1/h, where \d+ did not", found)


def test_no_region_is_named_for_points_lost_at_random() -> None:
    values, everywhere = _points(), np.zeros(1000, bool)
    everywhere[::100] = True
    assert failing_region(PARAMETERS, values, everywhere) == "in no region that stands out"
    assert failing_region(PARAMETERS, values, np.ones(1000, bool)) == "which is all of them"
    same = np.ones((1000, 2))
    assert failing_region(PARAMETERS, same, everywhere) == "in no region that stands out"


def test_a_stray_point_hides_no_region() -> None:
    values = _points()
    lost = values[:, 0] > 0.7
    lost[np.argmin(values[:, 0])] = True
    found = failing_region(PARAMETERS, values, lost)
    inside = int((values[:, 0] > 0.7).sum())
    assert found == f"{inside} of {inside} with k_H above 0.7 1/h, 1 of {1000 - inside} elsewhere"


def test_two_parameters_mark_off_a_corner() -> None:
    values = _points()
    lost = (values[:, 0] > 0.6) & (values[:, 1] < 0.3)
    found = failing_region(PARAMETERS, values, lost)
    assert re.fullmatch(r"all with other below 0\.(29\d*|3) and k_H above 0\.6 1/h", found)


def test_a_level_lies_between_the_listed_values() -> None:
    values = np.stack([np.tile([1.0, 2.0, 3.0], 100), np.repeat(np.arange(100.0), 3)], axis=1)
    assert failing_region(PARAMETERS, values, values[:, 0] > 1) == "all with k_H above 1.5 1/h"
    assert failing_region(PARAMETERS, values, values[:, 0] < 3) == "all with k_H below 2.5 1/h"


def test_words_are_named_by_themselves() -> None:
    parameters = _words("apn_lost", "esterase_low", "none")
    generator = np.random.default_rng(4)
    values = np.stack([np.tile([0.0, 1.0, 2.0], 40), generator.random(120)], axis=1)
    place = values[:, 0]
    assert failing_region(parameters, values, place == 1) == "all with perturbation esterase_low"
    both = failing_region(parameters, values, place != 1)
    assert both == "all with perturbation apn_lost or none"


def test_of_many_words_those_are_named_that_are_none_of_them() -> None:
    parameters = _words(*(f"line_{number:02}" for number in range(12)))
    values = np.stack([np.tile(np.arange(12.0), 30), np.zeros(360)], axis=1)
    found = failing_region(parameters, values, values[:, 0] != 7)
    assert found == "all with perturbation other than line_07"
    found = failing_region(parameters, values, values[:, 0] % 2 == 0)
    assert found == "all with perturbation line_00, line_02, line_04 or one of 3 others"


def test_the_best_of_many_words_is_not_taken_for_a_region() -> None:
    parameters = _words(*(f"line_{number:02}" for number in range(40)))
    values = np.stack([np.tile(np.arange(40.0), 5), np.zeros(200)], axis=1)
    lost = np.random.default_rng(5).random(200) < 0.3
    assert failing_region(parameters, values, lost) == "in no region that stands out"


@given(st.integers(0, 2**32), st.floats(0.05, 0.95), st.floats(0, 0.5))
def test_what_is_said_is_true_of_the_points(seed: int, edge: float, stray: float) -> None:
    generator = np.random.default_rng(seed)
    values = generator.random((200, 2))
    lost = (values[:, 0] > edge) ^ (generator.random(200) < stray)
    if not lost.any():
        return
    said = failing_region((Parameter("a"), Parameter("b")), values, lost)
    within = np.ones(200, dtype=bool)
    for name, side, level in re.findall(r"(\w) (above|below) (\S+?)(?=,| |$)", said):
        column = values[:, "ab".index(name)]
        within &= column > float(level) if side == "above" else column < float(level)
    inside, points = int((lost & within).sum()), int(within.sum())
    if said.startswith("all with"):
        assert inside == lost.sum()
        others = re.search(r"where (\d+) did not", said)
        assert (int(others[1]) if others else 0) == points - inside
    elif said[0].isdigit():
        elsewhere = f"{lost.sum() - inside} of {200 - points} elsewhere"
        assert said.startswith(f"{inside} of {points} with ")
        assert said.endswith(elsewhere)


def test_chance_alone_names_a_region_once_in_a_hundred_samples() -> None:
    generator = np.random.default_rng(6)
    said = [
        failing_region(PARAMETERS, generator.random((100, 2)), generator.random(100) < 0.2)
        for _ in range(200)
    ]
    named = [text for text in said if text != "in no region that stands out"]
    assert len(named) <= 6
