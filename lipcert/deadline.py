"""A moment by which long work is to stop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, infinity for never. Work that meets it keeps and reports what it has."""

    moment: float = math.inf

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """So many seconds from now; None for never."""
        return cls() if seconds is None else cls(time.perf_counter() + seconds)

    @property
    def left(self) -> float:
        """Seconds until then, 0 once it has passed."""
        return max(0.0, self.moment - time.perf_counter())

    @property
    def passed(self) -> bool:
        """Whether it is time to stop."""
        return time.perf_counter() >= self.moment

    def share(self, part: float) -> Deadline:
        """An earlier moment, after `part` of the time left."""
        return Deadline() if math.isinf(self.moment) else Deadline.after(part * self.left)
