"""`lipcert config show`: effective values, and where each came from."""

from __future__ import annotations

from lipcert.cli.analyze import OPTIONS
from lipcert.cli.option import Command, Group, argument
from lipcert.cli.options import take, without, written

HELP = """Show every setting in force, and where it comes from.

An option counts before the environment (LIPCERT_<OPTION>), the environment before the file, the file before the
default. With MODEL: what holds for that model, after the overrides of [models."PATTERN"].
"""

SHOW = Command(
    "show",
    "lipcert.cli.effective",
    HELP,
    take(
        "model config baseline fail_on format",
        model=argument("[MODEL]", "Path of a model."),
        format=written("text", "json"),
    )
    | without(OPTIONS, "model config only skip per_sample save_adversarials report output overwrite format"),
)
CONFIG = Group("config", "The configuration in force.", (SHOW,))
