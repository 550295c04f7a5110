"""The directive `command-line`: every command with its options, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from model_pages import markdown_table, prose
from sphinx.util.docutils import SphinxDirective


def command_line_markdown() -> str:
    """A section per command: what it does, its arguments and options, an example."""
    import typer

    from myelode.cli import app

    group: Any = typer.main.get_command(app)
    return "\n\n".join(
        text for name, command in sorted(group.commands.items()) for text in _command(name, command)
    )


def _command(name: str, command: Any) -> Iterator[str]:
    if hasattr(command, "commands"):
        for part, own in command.commands.items():
            yield from _command(f"{name} {part}", own)
        return
    yield f"## `myelode {name}`"
    yield prose(str(command.help or ""))
    rows = [
        (f"`{_written(parameter)}`", prose(parameter.help or "")) for parameter in command.params
    ]
    yield markdown_table(("argument or option", "meaning"), rows)
    example = str(command.epilog or "").rpartition("\n")[2].strip()
    if example:
        yield f"For example: `{example}`"


def _written(parameter: Any) -> str:
    """``FILE`` or ``-o, --output FILE``."""
    shown = parameter.metavar or ("" if getattr(parameter, "is_flag", False) else "VALUE")
    if parameter.param_type_name == "argument":
        return str(shown)
    return f"{', '.join(parameter.opts)} {shown}".strip()


class CommandLineDirective(SphinxDirective):
    """All commands."""

    def run(self) -> list[nodes.Node]:
        """A section for each command."""
        return self.parse_text_to_nodes(command_line_markdown(), allow_section_headings=True)


def setup(app: Any) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-line", CommandLineDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
