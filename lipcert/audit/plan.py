"""What there is to do: the zoo, what of it is done, and what is left for this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from pydantic import TypeAdapter

from lipcert.audit.files import Files
from lipcert.audit.key import common_of, key_of
from lipcert.audit.store import Store, write_file
from lipcert.audit.summary import Row
from lipcert.audit.task import Task
from lipcert.audit.zoo import Entry
from lipcert.errors import UsageError
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.supervise import Limits

_HEADER = "lipcert.audit-zoo 1"
_ADAPTER = TypeAdapter(AnalyzeRequest)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One model of the zoo, with the key of its result.

    sha256   empty where the file cannot be read, which its analysis then says
    request  a number in the plan's list of requests
    """

    name: str
    path: str
    family: str
    key: str
    sha256: str
    request: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A zoo with the requests that its models share; those stand once, without their model."""

    members: tuple[Member, ...]
    requests: tuple[AnalyzeRequest, ...]

    def left(self, rows: dict[str, Row], overwrite: str, shard: tuple[int, int] = (0, 1)) -> list[Member]:
        """What is to be done, each key once.

        overwrite  "only-missing": what has no result; "failed": also what could not be concluded; "always": everything
        shard      (i, n): every n-th key, from the i-th on, the same on every machine
        """
        index, count = shard
        distinct: dict[str, Member] = {}
        for member in self.members:
            distinct.setdefault(member.key, member)
        return [
            member
            for member in distinct.values()
            if int(member.key[:12], 16) % count == index and _is_due(rows.get(member.key), overwrite)
        ]

    def tasks(self, members: Iterable[Member], store: Store, limits: Limits, **options: Any) -> Iterator[Task]:
        """A task for each member, made one by one."""
        for member in members:
            request = replace(self.requests[member.request], model=Path(member.path))
            place = str(store.root.absolute())
            yield Task(key=member.key, name=member.name, store=place, request=request, limits=limits, **options)

    def save(self, store: Store) -> None:
        """Write down what was asked for, so that status, retry and export know the zoo."""
        requests = [_plain(request) for request in self.requests]
        lines = [_HEADER, json.dumps(requests)]
        lines += [json.dumps(list(asdict(member).values()), ensure_ascii=True) for member in self.members]
        write_file(store.zoo, "\n".join(lines) + "\n")


def _is_due(row: Row | None, overwrite: str) -> bool:
    if row is None or overwrite == "always":
        return True
    return overwrite == "failed" and row["status"] != "analyzed"


def make_plan(
    entries: Sequence[Entry], request_for: Callable[[dict[str, Any]], AnalyzeRequest], files: Files
) -> Plan:  # fmt: skip
    """The plan of a zoo.

    request_for  from the options of an entry to a request; raises UsageError on an option that cannot be used

    Options that stand in many entries are read once.
    """
    numbers: dict[str, int] = {}
    requests: list[AnalyzeRequest] = []
    commons: list[str] = []
    members: list[Member] = []
    for entry in entries:
        text = json.dumps(entry.options, sort_keys=True)
        if text not in numbers:
            numbers[text] = len(requests)
            requests.append(_anchored(request_for(entry.options)))
            commons.append(common_of(requests[-1], files))
        number = numbers[text]
        path = Path(os.path.abspath(entry.path))  # noqa: PTH100  a link keeps its name
        digest = files.digest_or_none(path) or ""
        members.append(
            Member(
                name=entry.name,
                path=str(path),
                family=entry.family,
                key=key_of(path, digest, commons[number], files),
                sha256=digest,
                request=number,
            )
        )
    files.save()
    return Plan(members=tuple(members), requests=tuple(requests))


def _anchored(request: AnalyzeRequest) -> AnalyzeRequest:
    """The request with absolute paths: whoever runs it may stand in another folder."""
    found = {name: getattr(request, name) for name in ("data", "labels", "train_data", "init_model")}
    places = {name: type(place)(Path(place).absolute()) for name, place in found.items() if _is_path(place)}
    return replace(request, **places, argv=())


def _is_path(place: str | Path | None) -> bool:
    return place is not None and (":" not in str(place) or Path(place).exists())


def load_plan(store: Store) -> Plan:
    """What was last asked of a store. Raises UsageError where that is not known."""
    try:
        with store.zoo.open(encoding="utf-8") as file:
            header, requests, *members = file
        if header.strip() == _HEADER:
            return Plan(
                members=tuple(_member(json.loads(line)) for line in members),
                requests=tuple(map(_request, json.loads(requests))),
            )
        error: Exception = ValueError("another version wrote it")
    except (OSError, ValueError, TypeError) as caught:
        error = caught
    raise UsageError(
        f"{store.zoo} does not tell which models were asked for: {error}", hint="run lipcert audit on them again"
    ) from error


def _member(values: list[Any]) -> Member:
    name, path, family, key, sha256, request = values
    return Member(name=name, path=path, family=family, key=key, sha256=sha256, request=int(request))


def _plain(request: AnalyzeRequest) -> dict[str, Any]:
    found: dict[str, Any] = _ADAPTER.dump_python(replace(request, model=Path()), mode="json")
    return found


def _request(found: dict[str, Any]) -> AnalyzeRequest:
    return _ADAPTER.validate_python(found)
