"""Settings from the command line, ``path=value``, written into the data of a scenario file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from myelode.errors import ScenarioError, best_matches
from myelode.files import parse_yaml

_FORMS = {
    "set": "set.NAME", "final": "final.NAME", "regimen": "regimen.LABEL.FIELD",
    "arms": "arms.ARM.LABEL.FIELD",
}  # fmt: skip
# How many keys name a regimen as a whole, which may be the name of one.
_WHOLE = {"regimen": 1, "arms": 2}


def with_settings(
    data: Mapping[str, Any], settings: Iterable[str], sections: Collection[str]
) -> dict[str, Any]:
    """A copy of `data` with every setting applied.

    A path that starts with one of `sections` is a place in the scenario (``regimen.LABEL.to``); any
    other names a base value of the model, and ``final.NAME`` one set after the perturbations.
    """
    result: dict[str, Any] = _copy(data)
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator or not path.strip() or not text.strip():
            raise ScenarioError(f"--set {setting!r} is not written path=value")
        _apply(result, path.strip(), _scalar(text.strip()), sections)
    return result


def sort_settings(settings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of anything else, such as the name of a regimen, and those of the fields of steps."""
    found: tuple[list[str], list[str]] = [], []
    for setting in settings:
        found[_reaches_into_steps(setting)].append(setting)
    return found


def _reaches_into_steps(setting: str) -> bool:
    keys = setting.partition("=")[0].strip().split(".")
    return len(keys) > _WHOLE.get(keys[0], len(keys))


def _apply(data: dict[str, Any], path: str, value: Any, sections: Collection[str]) -> None:
    keys = path.split(".")
    head = keys[0]
    if head not in sections:
        _sub(data, "set")[path] = value
    elif not _fits(keys):
        raise ScenarioError(f"--set {path}: write {_FORMS[head]}=value")
    else:
        _assign(data, keys, value, path)


def _fits(keys: list[str]) -> bool:
    """Whether a path is as long as its section asks for; fields of steps may be mappings."""
    due = len(_FORMS.get(keys[0], "").split("."))
    if len(keys) == _WHOLE.get(keys[0]):
        return True
    return len(keys) == due if keys[0] in ("set", "final") else len(keys) >= due


def _assign(data: Any, keys: list[str], value: Any, path: str) -> None:
    for key in keys[:-1]:
        data = _labelled(data, key, path) if isinstance(data, list) else _sub(data, key)
    if not isinstance(data, dict):
        raise ScenarioError(f"--set {path}: there is no such place in the scenario")
    data[keys[-1]] = value


def _labelled(steps: list[Any], label: str, path: str) -> Any:
    labels = [str(step.get("label")) for step in steps if isinstance(step, dict)]
    if label not in labels:
        raise ScenarioError(
            f"--set {path}: no step is labelled {label!r}{best_matches(label, labels)}"
        )
    return steps[labels.index(label)]


def _sub(data: Any, key: str) -> Any:
    if not isinstance(data, dict):
        raise ScenarioError(f"--set: {key!r} is not inside a mapping")
    if data.get(key) is None:
        data[key] = {}
    return data[key]


def _scalar(text: str) -> Any:
    parsed = parse_yaml(text, "--set").data
    return text if parsed is None else parsed


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
