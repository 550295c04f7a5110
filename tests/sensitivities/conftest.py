"""Models whose endpoint is a known function, and sweeps over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sensitivities.functions import G

_G_TERMS = " * ".join(f"(abs(4 * x{n} - 2) + {a}) / {1 + a}" for n, a in enumerate(G, 1))
MODEL = f"""\
model functions()
  compartment c = 1; species s in c; s = 1; k = 0.1;
  x1 = 0.1; x2 = 0.2; x3 = 0.3; x4 = 0.4;
  ishigami := sin(x1) + 7 * sin(x2)^2 + 0.1 * x3^4 * sin(x1);
  sobol_g := {_G_TERMS};
  product := x1^2 * abs(x2)^0.5 / x3;
  feeds: => s; c * k * s^2;
end
"""
SCENARIO = """\
id: functions
title: Functions whose indices are known
model: ./functions.ant
perturbations: [none]
observe: {until: 1, every: 0.5, outputs: [s, ishigami, sobol_g, product]}
endpoints:
  ishigami: {of: ishigami, take: value, at: 1, title: function of Ishigami}
  sobol_g: {of: sobol_g, take: value, at: 1, title: function of Sobol}
  product: {of: product, take: value, at: 1}
  fed: {of: s, take: max}
"""
SWEEP = """\
id: indices
title: What moves the functions
scenario: ./functions.yaml
limits: {steps: 2000}
engine: ensemble
"""

WriteSweep = Callable[[str], Path]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the model and its scenario are."""
    path = tmp_path_factory.mktemp("functions")
    (path / "functions.ant").write_text(MODEL, encoding="utf-8")
    (path / "functions.yaml").write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def write_sweep(folder: Path) -> WriteSweep:
    """Writes a sweep with this design, and what else is given."""

    def write(rest: str) -> Path:
        path = folder / f"sweep_{len(list(folder.iterdir()))}.yaml"
        path.write_text(SWEEP + rest, encoding="utf-8")
        return path

    return write
