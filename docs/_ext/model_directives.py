"""The directive `model`: parts of a model page, made from the model when the site is built.

```{model} parameters melflufen
```
An optional third word names a variant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import model_pages
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from myelode.claims import read_claims
from myelode.equations import Equations, derive
from myelode.model import Model, load_model
from myelode.perturbations import cell_lines, perturbations
from myelode.validation import Row, validate


@lru_cache
def _model(name: str, variant: str | None) -> Model:
    return load_model(name, variant)


@lru_cache
def _equations(name: str, variant: str | None) -> Equations:
    return derive(_model(name, variant).sbml)


@lru_cache
def _validated(name: str) -> tuple[Row, ...]:
    return tuple(validate(name))


def _title(name: str, variant: str | None) -> str:
    return model_pages.prose(_model(name, variant).title)


def _parameters(name: str, variant: str | None) -> str:
    return model_pages.parameters(_model(name, variant).parameters.values())


def _evidence(name: str, variant: str | None) -> str:
    return model_pages.evidence(_model(name, variant).parameters.values())


def _perturbations(name: str, variant: str | None) -> str:
    known = perturbations(_model(name, variant))
    return model_pages.changes(item for item in known.values() if item.set or item.scale)


def _cell_lines(name: str, variant: str | None) -> str:
    return model_pages.changes(cell_lines(_model(name, variant)).values())


def _claims(name: str, variant: str | None) -> str:
    folder = _model(name, variant).folder
    return model_pages.claims(read_claims(folder)) if folder else ""


def _observations(name: str, variant: str | None) -> str:
    return model_pages.observations(_validated(name))


def _misses(name: str, variant: str | None) -> str:
    return model_pages.observations(row for row in _validated(name) if row.hit is False)


def _score(name: str, variant: str | None) -> str:
    return model_pages.score(_validated(name))


def _reactions(name: str, variant: str | None) -> str:
    return model_pages.reactions_html(_model(name, variant), _equations(name, variant))


def _derivatives(name: str, variant: str | None) -> str:
    return model_pages.derivatives_html(_equations(name, variant))


def _assignments(name: str, variant: str | None) -> str:
    return model_pages.assignments_html(_equations(name, variant))


Part = Callable[[str, str | None], str]
_MARKDOWN: Mapping[str, Part] = {
    "title": _title, "parameters": _parameters, "evidence": _evidence,
    "perturbations": _perturbations, "cell-lines": _cell_lines, "claims": _claims,
    "observations": _observations, "misses": _misses, "score": _score,
}  # fmt: skip
_HTML: Mapping[str, Part] = {
    "reactions": _reactions, "derivatives": _derivatives, "assignments": _assignments,
}  # fmt: skip


class ModelDirective(SphinxDirective):
    """A part of a model page."""

    required_arguments = 2
    optional_arguments = 1
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """The part as nodes; the page is made again when a file of the model changes."""
        part, name = self.arguments[:2]
        variant = self.arguments[2] if len(self.arguments) > 2 else None
        for file in (_model(name, variant).folder or self.env.srcdir).iterdir():
            self.env.note_dependency(str(file))
        if part in _HTML:
            return [nodes.raw("", _HTML[part](name, variant), format="html")]
        return self.parse_text_to_nodes(_MARKDOWN[part](name, variant))


def setup(app: Any) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("model", ModelDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
