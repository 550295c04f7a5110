"""Events between which chance decides are drawn by lot, the same in equal runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from myelode.engines.ensemble.chance import Lots
from myelode.model import load_model

RIVALS = """
model rivals
  last = 0; left = 0; right = 0
  go_left: at (time - last >= 1), persistent=false, priority=1: last = time, left = left + 1
  go_right: at (time - last >= 1), persistent=false, priority=PRIORITY: last = time, right = right + 1
end
"""


def _counts(folder: Path, priority: int) -> tuple[float, float]:
    path = folder / "rivals.ant"
    path.write_text(RIVALS.replace("PRIORITY", str(priority)))
    found = load_model(path).simulate([0, 200.5], outputs=["left", "right"])
    return float(found["left"][-1]), float(found["right"][-1])


def test_both_take_place_about_as_often_and_equal_runs_are_equal(tmp_path: Path) -> None:
    left, right = _counts(tmp_path, 1)
    assert left + right == 200
    assert 70 <= left <= 130
    assert _counts(tmp_path, 1) == (left, right)


@pytest.mark.parametrize(("priority", "counts"), [(0, (200, 0)), (2, (0, 200))])
def test_a_larger_priority_leaves_nothing_to_chance(
    priority: int, counts: tuple[float, float], tmp_path: Path
) -> None:
    assert _counts(tmp_path, priority) == counts


def test_simulations_draw_alike_and_each_from_its_beginning() -> None:
    lots = Lots()
    first = [lots.draw(0, "ab") for _ in range(50)]
    assert [lots.draw(1, "ab") for _ in range(50)] == first
    lots.begin(0)
    assert [lots.draw(0, "ab") for _ in range(50)] == first
    assert {*first} == {"a", "b"}
