"""The driver runs whether or not its machine code can be kept."""

from __future__ import annotations

from typing import Any

import pytest

from myelode.engines.ensemble import compiling


def test_where_no_folder_can_be_written_the_driver_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = compiling.numba.njit

    def homeless(*functions: Any, **options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'twice': no locator available")
        return real(*functions, **options)

    def twice(value: float) -> float:
        return 2 * value

    monkeypatch.setattr(compiling.numba, "njit", homeless)
    assert compiling.compiled(twice)(2.0) == 4.0
