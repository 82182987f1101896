"""Help pages whose options stand in groups, in plain text."""

from __future__ import annotations

from typing import Any, final

from typer.core import TyperCommand


@final
class GroupedCommand(TyperCommand):
    """A command that lists its options under the panel each was given, and arguments as they are named.

    The command that a group means where none is named also lists the others.
    """

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how it is called; what is meant without being named is not named."""
        path = ctx.command_path.removesuffix(f" {self.name}") if self.hidden else ctx.command_path
        parameters: list[Any] = self.get_params(ctx)
        arguments = [each.metavar for each in parameters if each.param_type_name == "argument"]
        formatter.write_usage(path, " ".join(["[OPTIONS]", *arguments]))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one definition list a panel, in order of first appearance."""
        panels: dict[str, list[tuple[str, str]]] = {}
        parameters: list[Any] = self.get_params(ctx)
        for param in parameters:
            if param.param_type_name == "argument":
                panels.setdefault("Arguments", []).append((param.metavar, param.help))
            elif (record := param.get_help_record(ctx)) is not None:
                panels.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(record)
        if self.hidden and ctx.parent is not None:
            others = ctx.parent.command.commands.values()
            panels["Commands"] = [(each.name, each.help) for each in others if not each.hidden]
        for title, records in panels.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=30)
