"""Two agents whose single effects are Hill curves, and several ways in which they act together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from myelode.scenario import Scenario, scenario_from_text
from tests.toys import swapped

# What is left: of independent agents, of one agent in two bottles, of an agent that another makes
# stronger, of an agent with one that protects, and with one that reaches three tenths at best.
MODEL = """\
model two_agents()
  compartment well = 1; species cells in well; cells = 1; idle: cells => ; 0 * cells;
  a = 0; b = 0; ea = 2; ha = 1.5; eb = 30; hb = 0.8; size = 500; none = 0;
  independent := 1 / (1 + (a / ea)^ha) / (1 + (b / eb)^hb);
  additive := 1 / (1 + (a / ea + b / eb)^ha);
  stronger := 1 / (1 + (a * (1 + b / eb) / ea)^ha);
  protected := 1 / (1 + (a / (1 + b / eb) / ea)^ha);
  weak := 1 / (1 + (a / ea)^ha) * (1 - 0.3 * b / (eb + b));
  growing := (1 + 0.5 * b / (eb + b)) / (1 + (a / ea)^ha);
  counts := size * independent; empty := none * independent;
end
"""
TEXT = """\
id: pair
title: two agents
model: {model}
design:
  dose: {{of: a, values: [0.5, 1, 2, 4], zero: true}}
  dose2: {{of: b, values: [10, 30, 90]}}
observe: {{until: 1, outputs: [independent]}}
endpoints:
  left: {{of: independent, take: value, at: 1}}
"""
Make = Callable[..., Scenario]


@pytest.fixture
def pair(tmp_path: Path) -> Make:
    """The scenario, with pieces of it replaced, and what is read."""

    def make(*swaps: tuple[str, str], of: str = "independent") -> Scenario:
        (tmp_path / "pair.ant").write_text(MODEL, "utf-8")
        text = swapped(TEXT.format(model=tmp_path / "pair.ant"), swaps)
        return scenario_from_text(text.replace("independent", of), "pair.yaml")

    return make
