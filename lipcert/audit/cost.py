"""What an audit will cost, before it is begun: CPU hours and GPU hours, by analysis.

An estimate to plan with, within a factor of three or so: the number of weights is taken from the size of the file, and
convolutions use each weight many times. Where the store holds results already, their measured times scale it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from lipcert.audit.plan import Member, Plan
from lipcert.audit.store import Store
from lipcert.audit.summary import Row
from lipcert.records import AnalyzeSettings
from lipcert.supervise import Limits

_BYTES_A_WEIGHT = 4
_REUSE = 20.0
_CPU_RATE, _GPU_RATE = 4e9, 1e12
_SAMPLES = 1000
_BALLS = 4
_EFFORT = {"fast": 0.3, "default": 1.0, "high": 6.0}
# Passes through the network a sample, and seconds that do not depend on its size.
_PASSES: Final[Mapping[str, tuple[float, float]]] = {
    "load": (0.0, 1.0),
    "layers": (0.0, 0.1),
    "lipschitz": (0.0, 0.3),
    "jacobian": (60.0, 0.3),
    "margins": (2.0, 0.0),
    "robustness": (150.0, 0.5),
    "certificates": (400.0, 0.2),
    "generalization": (20.0, 0.3),
}
_BY_BALL = ("robustness", "certificates")
_MOST_MEASURED = 200


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What is left of an audit, in hours.

    cpu, gpu    analysis -> core hours on CPUs, device hours on GPUs
    measured    results whose times scale the estimate; 0 where it stands on the model alone
    wall        hours on this machine with so many jobs of so many threads
    """

    models: int
    done: int
    bytes: int
    cpu: dict[str, float]
    gpu: dict[str, float]
    measured: int
    wall: float
    jobs: int
    threads: int


def estimate(
    plan: Plan, left: Sequence[Member], rows: Mapping[str, Row], *, limits: Limits, jobs: int, store: Store
) -> Cost:
    """The cost of what is left, with so many jobs at a time."""
    cpu, gpu = dict.fromkeys(_PASSES, 0.0), dict.fromkeys(_PASSES, 0.0)
    total = 0
    for member in left:
        size, settings = _size(member.path), plan.requests[member.request].settings
        total += size
        for name in cpu:
            cpu[name] += _seconds(name, size, settings, _CPU_RATE) / 3600
            gpu[name] += _seconds(name, size, settings, _GPU_RATE) / 3600
    scale, measured = _measured(plan, rows, store)
    cpu = {name: scale * hours for name, hours in cpu.items()}
    threads = limits.threads or 1
    return Cost(
        models=len(left),
        done=len({member.key for member in plan.members} & rows.keys()),
        bytes=total,
        cpu=cpu,
        gpu=gpu,
        measured=measured,
        wall=sum(cpu.values()) / jobs,
        jobs=jobs,
        threads=threads,
    )


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _seconds(name: str, size: int, settings: AnalyzeSettings, rate: float) -> float:
    """Seconds of one analysis of one model on one device."""
    if name != "load" and name not in settings.analyses:
        return 0.0
    passes, fixed = _PASSES[name]
    factor = _EFFORT[settings.effort] if name in _BY_BALL else 1.0
    if name in _BY_BALL:
        balls = sum(map(len, settings.eps.values())) if settings.eps else _BALLS
        factor *= max(1, balls) * (settings.seeds if name == "robustness" else 1)
    work = 2 * _REUSE * size / _BYTES_A_WEIGHT * passes * (settings.samples or _SAMPLES)
    return factor * (fixed + work / rate)


def _measured(plan: Plan, rows: Mapping[str, Row], store: Store) -> tuple[float, int]:
    """Measured over estimated seconds of results that are there, and how many those are."""
    real = guessed = 0.0
    count = 0
    for member in plan.members:
        if count == _MOST_MEASURED or rows.get(member.key, {}).get("status") != "analyzed":
            continue
        seconds = [each["seconds"] for each in store.tries(member.key) if each.get("event") == "analyzed"]
        if seconds:
            settings = plan.requests[member.request].settings
            real += float(seconds[-1])
            guessed += sum(_seconds(name, _size(member.path), settings, _CPU_RATE) for name in _PASSES)
            count += 1
    return (real / guessed if count and guessed else 1.0), count
