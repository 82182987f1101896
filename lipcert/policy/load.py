"""Finding and reading the configuration file."""

from __future__ import annotations

from pathlib import Path

from lipcert.errors import ConfigurationError
from lipcert.policy.config import Config
from lipcert.policy.parse import parse_config

NAMES = ("lipcert.toml", "pyproject.toml")


def load_config(path: Path | None = None, *, folder: Path | None = None) -> Config:
    """The configuration at `path`, or that of the current folder; an empty one where there is none.

    Without `path`, lipcert.toml counts before [tool.lipcert] in pyproject.toml. Raises ConfigurationError.
    """
    if path is not None:
        found = _read(path)
        if found is None:
            raise ConfigurationError(f"{path} has no table [tool.lipcert]", hint="lipcert init writes a configuration")
        return found
    for name in NAMES:
        candidate = Path(name) if folder is None else folder / name
        if candidate.is_file() and (config := _read(candidate)) is not None:
            return config
    return Config()


def _read(path: Path) -> Config | None:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", hint="--config FILE names it") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text") from error
    return parse_config(text, str(path), path.parent)
