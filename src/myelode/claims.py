"""What the source documents of a model claim, and what became of each claim."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from myelode.errors import ModelError, best_matches
from myelode.files import YamlFile, read_yaml

VERDICTS = ("supported", "contested", "contradicted", "unsupported")
_TEXTS = ("id", "claim", "document", "verdict", "because", "in_model")


@dataclass(frozen=True)
class Claim:
    """One claim: where it stands, the verdict and why, and what the model does about it."""

    id: str
    claim: str
    document: str
    verdict: str
    because: str
    sources: tuple[str, ...]
    in_model: str


def read_claims(folder: Path) -> list[Claim]:
    """The claims of a model folder, none where it has no `claims.yaml`.

    Raises ModelError with file and line for an unknown key or verdict, or a missing text.
    """
    path = folder / "claims.yaml"
    if not path.exists():
        return []
    file = read_yaml(path, ModelError)
    if not isinstance(file.data, list):
        raise ModelError(f"{file.where}: must be a list of claims")
    claims = [_claim(file, number, entry) for number, entry in enumerate(file.data)]
    seen: set[str] = set()
    for number, claim in enumerate(claims):
        if claim.id in seen:
            raise ModelError(f"{file.place((number, 'id'))}: {claim.id!r} is used twice")
        seen.add(claim.id)
    return claims


def _claim(file: YamlFile, number: int, entry: Any) -> Claim:
    known = (*_TEXTS, "sources")
    if not isinstance(entry, dict):
        raise ModelError(f"{file.place((number,))}: a claim has {', '.join(known)}")
    for key in entry:
        if key not in known:
            hint = best_matches(str(key), known)
            raise ModelError(f"{file.place((number, str(key)))}: unknown key {key!r}{hint}")
    for key in known:
        if key not in entry:
            raise ModelError(f"{file.place((number,))}: has no {key!r}")
    texts = {key: _text(file, number, key, entry[key]) for key in _TEXTS}
    if texts["verdict"] not in VERDICTS:
        where = file.place((number, "verdict"))
        raise ModelError(f"{where}: {texts['verdict']!r} is none of {', '.join(VERDICTS)}")
    return Claim(sources=_sources(file, number, entry["sources"]), **texts)


def _text(file: YamlFile, number: int, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"{file.place((number, key))}: must be a text")
    return " ".join(value.split())


def _sources(file: YamlFile, number: int, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ModelError(f"{file.place((number, 'sources'))}: must be a list of texts")
    return tuple(value)
