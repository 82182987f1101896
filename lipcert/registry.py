"""A name table filled by the files of a package, one entry a file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar, final

T = TypeVar("T")


@final
class Registry(Mapping[str, T], Generic[T]):
    """Names to members of one family, in order of registration.

    `kind` is the family's word in messages ("attack", "norm method"). A name may be taken once.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._members: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its target under `name`. Raises ValueError on a name already taken."""

        def file(member: T) -> T:
            if name in self._members:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._members[name] = member
            return member

        return file

    def __getitem__(self, name: str) -> T:
        try:
            return self._members[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._members, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else f"; known: {', '.join(self._members)}"
            raise KeyError(f"no {self.kind} is called {name!r}{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)
