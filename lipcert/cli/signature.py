"""Commands whose options stand in a table, one line each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, get_args

import typer


def command(name: str, runner: str, parameters: Mapping[str, Any], summary: str) -> Callable[..., None]:
    """A function that typer makes a command of: it hands what was typed to `run` of a module, and exits with its code.

    runner      the module, imported when the command runs: it may need torch, and help must not wait for that
    parameters  name -> annotated type; a flag is off, and what may be None is None, unless given
    """

    def act(**given: Any) -> None:
        raise typer.Exit(import_module(runner).run(given))

    act.__name__, act.__doc__ = name, summary
    act.__annotations__ = {**parameters, "return": None}
    act.__signature__ = inspect.Signature([_parameter(*each) for each in parameters.items()])  # type: ignore[attr-defined]
    return act


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    kind = get_args(annotation)[0]
    default = False if kind is bool else None if type(None) in get_args(kind) else inspect.Parameter.empty
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
