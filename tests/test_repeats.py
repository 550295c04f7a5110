"""A name is defined once: libAntimony would let the second definition win and say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from myelode.errors import ModelError
from myelode.library import models
from myelode.preflight.repeats import refuse_repeats


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k = 1\nk = 2", "m.ant:2: 'k' has a value already, on line 1"),
        ("k = 1; k := 2", "'k' has a value already"),
        ("k := 1; k := 2", "'k' has a value already"),
        ("k' = 1; k = 3; k' = 2", "'k' has a rate already"),
        ("compartment c = 1; c = 2", "'c' has a value already"),
        ("species A = 1, B = 2, A = 3", "'A' has a value already"),
        ("species $A = 1; A = 2", "'A' has a value already"),
        ("J: A -> B; k*A\nK: B -> ; k\nJ: B -> A; k*B", ":3: 'J' has a reaction, event or part already"),
        ("E: at a > 1: k = 2\nE: at a > 2: k = 2", "'E' has a reaction, event or part already"),
        ("unit u = 3 second; unit u = 4 second", "'u' has a definition already"),
        ("k has u; k has v", "'k' has a unit already"),
        ("model a()\n k = 1\nend\nmodel b()\n k = 1\n k = 2\nend", ":6: 'k'"),
    ],
)  # fmt: skip
def test_a_name_that_is_defined_twice_is_refused(text: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        refuse_repeats(text, "m.ant")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "k = 1; k' = 2",
        'k = 1; k has second; k is "rate"',
        "unit k = 3 second; k = 1",
        "J: A -> B; k*A; K: B -> A; k*B; A -> ; k; B -> ; k",
        "E: at a > 1: k = 2, a = 3\nF: at a > 2: k = 2",
        "at a > 1: k = 2\nat a > 2: k = 2\nk = 1",
        "model a()\n k = 1\nend\nmodel b()\n k = 1\n A: a(); A.k = 2\nend",
        "function f(k)\n k + 1\nend\nk = 1",
        "// k = 1\nk = 2 # k = 3",
    ],
)
def test_what_only_looks_alike_is_no_repetition(text: str) -> None:
    refuse_repeats(text, "m.ant")


@pytest.mark.parametrize(
    "path", [path for folder in models().values() for path in folder.glob("*.ant")]
)
def test_no_shipped_model_defines_a_name_twice(path: Path) -> None:
    refuse_repeats(path.read_text("utf-8"), str(path))
