"""What can go wrong, and the exit code each kind ends the process with.

The tree::

    LipcertError                      3  code "internal" unless a kind below says otherwise
    ├── UsageError                    2  a flag or a combination of flags
    │   ├── ConfigurationError        2  a configuration file or sidecar
    │   └── DataError                 2  samples or labels that cannot be read or do not fit the model
    ├── NoModelError                  4  nothing matched the paths given
    ├── ModelError                    3  the model could not be concluded on
    │   ├── UnreadableModelError      3  damaged, truncated, or in a format lipcert does not read
    │   ├── RefusedModelError         3  read, and refused for a stated reason (pickle, quantised, two inputs, ...)
    │   ├── UnsupportedOperatorError  3  nodes without an interpretation; all of them are listed
    │   ├── UnfaithfulModelError      3  the captured graph and the original runtime disagree
    │   ├── NonFiniteModelError       3  NaN or infinity among the weights
    │   ├── TimeLimitError            3  stopped by the clock
    │   ├── MemoryLimitError          3  stopped for the memory it took
    │   ├── CrashedModelError         3  its process died: a crash, or an end without a result
    │   └── KilledModelError          3  its process was killed from outside
    └── EnclosureError                3  lower > upper: a bug in lipcert, reported loudly
"""

from __future__ import annotations

from typing import ClassVar


class LipcertError(Exception):
    """A failure with a message for the user: what was expected, what came, where, and a hint on what to do."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LipcertError):
    """A flag that is unknown, out of range, or at odds with another."""

    code = "usage"
    exit_code = 2


class ConfigurationError(UsageError):
    """A configuration file or a model's sidecar that cannot be used."""

    code = "configuration"


class DataError(UsageError):
    """Samples or labels that cannot be read or do not fit the model."""

    code = "data"


class NoModelError(LipcertError):
    """A directory or glob that holds no model: an empty match must never pass a gate."""

    code = "no_model"
    exit_code = 4


class ModelError(LipcertError):
    """A model that could not be concluded on."""

    code = "model"


class UnreadableModelError(ModelError):
    """A file that is damaged, truncated, or in no format lipcert reads."""

    code = "model.unreadable"


class RefusedModelError(ModelError):
    """A file that was understood and is refused for a stated reason."""

    code = "model.refused"


class UnsupportedOperatorError(ModelError):
    """Nodes without an interpretation. `operators` names every one of them, sorted and without duplicates."""

    code = "model.unsupported_operator"

    def __init__(self, message: str, *, operators: tuple[str, ...], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.operators = tuple(sorted(set(operators)))


class UnfaithfulModelError(ModelError):
    """The captured graph and the original runtime disagree by more than the tolerance."""

    code = "model.unfaithful"


class NonFiniteModelError(ModelError):
    """NaN or infinity among the model's weights."""

    code = "model.non_finite"


class TimeLimitError(ModelError):
    """An analysis that took longer than allowed."""

    code = "model.timeout"


class MemoryLimitError(ModelError):
    """An analysis that took more memory than allowed."""

    code = "model.memory"


class CrashedModelError(ModelError):
    """An analysis whose process crashed, or ended before it had a result."""

    code = "model.crashed"


class KilledModelError(ModelError):
    """An analysis whose process was killed from outside; it may well succeed another time."""

    code = "model.killed"


class EnclosureError(LipcertError):
    """A lower end above its upper end. Always a bug in lipcert, never in the model."""

    code = "internal.enclosure"
