"""Help pages whose options stand in groups, in plain text."""

from __future__ import annotations

from typing import Any, final

from typer.core import TyperCommand


@final
class GroupedCommand(TyperCommand):
    """A command that lists its options under the panel each was given."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one definition list a panel, in order of first appearance."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                title = getattr(param, "rich_help_panel", None)
                fallback = "Arguments" if param.param_type_name == "argument" else "Options"
                panels.setdefault(title or fallback, []).append(record)
        for title, records in panels.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=30)
