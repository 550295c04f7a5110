"""The page on sweep files explains every word of their language."""

from __future__ import annotations

import re
from pathlib import Path

from myelode.sweeps import sections
from myelode.sweeps.designs import sections as design_sections

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "sweep-files.md"


def test_every_word_of_the_sweep_language_is_explained() -> None:
    parts = [
        item
        for module in (sections, design_sections)
        for item in vars(module).values()
        if getattr(item, "model_fields", None)
    ]
    words = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    assert {"design", "sobol", "spacing", "trajectories"} <= words
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", text)) == []
