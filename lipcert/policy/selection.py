"""What a configuration comes to for one model: its settings, its checks, and the analyses they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath

from lipcert.errors import ConfigurationError
from lipcert.policy.config import CheckSpec, Config, Override, Setting
from lipcert.policy.parse import merged
from lipcert.policy.specs import check_spec, refuse_unknown
from lipcert.records import ANALYSES
from lipcert.records.metrics import analyses_of, as_number

_DEFAULT_NORMS = ("linf", "l2")
_BALLS = ("robustness", "adversarial_radii", "certificates", "radii", "brackets", "jacobian.surrogates")


def matches(pattern: str, model: str) -> bool:
    """Whether a glob pattern means a model: its path as given, or its file name."""
    path = PurePath(model).as_posix()
    return fnmatchcase(path, pattern) or fnmatchcase(path.removeprefix("./"), pattern) or path.endswith(f"/{pattern}")


def settings_for(config: Config, model: str) -> dict[str, Setting]:
    """Settings for one model by option name, later overrides above earlier ones."""
    found = dict(config.options)
    for override in _overrides(config, model):
        found |= override.options
    return found


def checks_for(config: Config, model: str, only: Sequence[str] = ()) -> tuple[CheckSpec, ...]:
    """The checks of one model, those named by `only` where it names any. Raises ConfigurationError on unknown names."""
    raw = dict(config.checks)
    for override in _overrides(config, model):
        for name, above in override.checks.items():
            raw[name] = merged(raw.get(name), above)
    everywhere = {*raw, *(name for override in config.overrides for name in override.checks)}
    refuse_unknown(dict.fromkeys(only), sorted(everywhere), "--check")
    specs = (check_spec(name, found) for name, found in raw.items() if not only or name in only)
    return tuple(spec for spec in specs if spec is not None)


def _overrides(config: Config, model: str) -> list[Override]:
    return [override for override in config.overrides if matches(override.pattern, model)]


def analyses_needed(specs: Iterable[CheckSpec]) -> tuple[str, ...]:
    """Names of the analyses that these checks are judged by, in their order."""
    wanted = {name for spec in specs for name in analyses_of(spec.metric.path)}
    return tuple(name for name in ANALYSES if name in wanted)


def balls_needed(specs: Iterable[CheckSpec]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Radii that checks name, as --eps takes them (`linf:2/255`), and norms, as --norm does; both empty for defaults.

    Raises ConfigurationError on a radius without a norm.
    """
    radii: dict[str, None] = {}
    norms: dict[str, None] = {}
    anywhere = False
    for spec in specs:
        if not spec.metric.path.startswith(_BALLS):
            continue
        chosen = dict(spec.metric.selectors)
        norm, eps = chosen.get("norm"), chosen.get("eps")
        anywhere = anywhere or (norm is None and eps is None)
        if eps is not None and norm is None:
            raise ConfigurationError(
                f'check "{spec.id}" names eps {eps} without a norm', hint='add norm = "linf", or another one'
            )
        if norm is not None:
            norms[norm] = None
        if eps is not None and (as_number(eps) or 0) > 0:
            radii[f"{norm}:{eps}"] = None
    if anywhere and not radii and norms:
        norms |= dict.fromkeys(_DEFAULT_NORMS)
    return tuple(radii), tuple(norms)
