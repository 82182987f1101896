"""`lipcert audit`: a whole zoo, and what is known of it so far."""

from __future__ import annotations

from typing import Any, final

import typer

from lipcert.cli import gate_options, options
from lipcert.cli.analyze import PARAMETERS as ANALYZE
from lipcert.cli.audit import zoo_options as own
from lipcert.cli.grouped_help import GroupedCommand
from lipcert.cli.signature import command

HELP = """Analyse every model of a folder, a pattern or a manifest.

Results are kept in --output-dir, a file a model, named by what it was computed from: an interrupted audit goes on
where it stopped, and nothing completed is computed twice. A folder's audit.toml says which data go with which model.

\b
  lipcert audit sample_models
  lipcert audit zoo --data test.npz -j 4 --timeout 1h --report html=zoo.html
  lipcert audit status
  lipcert audit retry
  lipcert audit export -f csv -o zoo.csv
"""

_NOT_HERE = {"model", "per_sample", "save_adversarials", "overwrite", "format", "init_model", "no_isolation"}
_SHARED = {name: kind for name, kind in ANALYZE.items() if name not in _NOT_HERE}
_ENGINE = {
    "jobs": own.Jobs,
    "retries": own.Retries,
    "fail_fast": own.FailFast,
    "gpu_slots": own.GpuSlots,
    "engine": own.Engine,
    "ray_address": own.RayAddress,
}
_GATE = {
    "config": gate_options.Config,
    "fail_on": gate_options.FailOn,
    "exit_zero": gate_options.ExitZero,
}
_VIEW = {
    "format": own.AuditFormat,
    "json": options.Json,
    "output": options.Output,
    "report": options.Reports,
    "replace": own.Replace,
    "color": options.Color,
    "quiet": options.Quiet,
    "verbose": options.Verbose,
}
RUN = {
    "targets": own.Targets,
    "output_dir": own.OutputDir,
    **_SHARED,
    **_ENGINE,
    "overwrite": own.Redo,
    "shard": own.Shard,
    "dry_run": own.DryRun,
    **_GATE,
    **_VIEW,
}
RETRY = {
    "output_dir": own.OutputDir,
    **_ENGINE,
    **{name: ANALYZE[name] for name in ("threads", "timeout", "max_memory")},
    **_GATE,
    **_VIEW,
}
SHOW = {"output_dir": own.OutputDir, **_GATE, **_VIEW}


@final
class _Group(typer.core.TyperGroup):
    """A group whose own arguments are those of its command `run`: `audit zoo` is `audit run zoo`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `run` in front of what does not begin with the name of a command."""
        if not args or args[0] not in {*self.commands, "--help", "-h"}:
            args = ["run", *args]
        elif args[0] in {"--help", "-h"}:
            args = ["run", "--help"]
        return super().parse_args(ctx, args)


audit = typer.Typer(name="audit", cls=_Group, help="Analyse a whole zoo of models.", rich_markup_mode=None)
_STATUS, _RETRY, _EXPORT = (
    "Say how far the audit is: a line, and what failed.",
    "Analyse again what could not be concluded on, and what is missing.",
    "Write the leaderboard of all results so far.",
)
audit.command("run", cls=GroupedCommand, help=HELP, hidden=True)(
    command("run", "lipcert.cli.audit.running", RUN, "Analyse a whole zoo of models.")
)
audit.command("status", cls=GroupedCommand, help=_STATUS)(
    command("status", "lipcert.cli.audit.standing", SHOW, _STATUS)
)
audit.command("retry", cls=GroupedCommand, help=_RETRY)(command("retry", "lipcert.cli.audit.retrying", RETRY, _RETRY))
audit.command("export", cls=GroupedCommand, help=_EXPORT)(
    command("export", "lipcert.cli.audit.exporting", SHOW, _EXPORT)
)
