"""The analysers of SALib, which is imported only where an analysis needs it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from myelode.errors import ScenarioError


def analyser(name: str) -> Callable[..., Any]:
    """The function ``analyze`` of a method of SALib.

    Raises ScenarioError if SALib is not installed.
    """
    with warnings.catch_warnings():
        # What a library says of its own imports is nothing that our users can change.
        warnings.simplefilter("ignore")
        try:
            module = import_module(f"SALib.analyze.{name}")
        except ImportError as error:
            raise ScenarioError(
                f"this analysis needs SALib, which cannot be imported ({error}): "
                "pip install 'myelode[sensitivity]'"
            ) from error
    return _quietly(module.analyze)


def _quietly(analyze: Callable[..., Any]) -> Callable[..., Any]:
    """`analyze` without the warnings of numpy and SALib on numbers that do not vary.

    Whoever calls it has said by then what does not vary.
    """

    def quiet(*arguments: Any, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return analyze(*arguments, **options)

    return quiet
