"""Who runs the tasks of an audit, and who watches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from lipcert.audit.task import Status, Task


class AbstractWatch(ABC):
    """An observer of an audit; it is called often and must return quickly."""

    @abstractmethod
    def started(self, task: Task) -> None:
        """A task has begun."""

    @abstractmethod
    def ended(self, task: Task, status: Status) -> bool:
        """A task has its result in the store; False asks the engine to start no more and to stop the rest."""

    def tick(self) -> None:  # noqa: B027  most have nothing to do here
        """Time goes by."""


class AbstractEngine(ABC):
    """Something that runs tasks. Results go to the store; no engine gathers them."""

    @abstractmethod
    def run(self, tasks: Iterable[Task], watch: AbstractWatch) -> None:
        """Do every task, in any order.

        An exception ends all that runs; whatever is in the store by then stays. Raises StoreError where results cannot
        be written.
        """
