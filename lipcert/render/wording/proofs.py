"""What certificates say, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lipcert.records import CertificateRecord, DeployDtype, ModelRecord, Skipped, Verdict
from lipcert.render.notation import count, lower, radius

_ARITHMETIC: dict[DeployDtype, str] = {
    "real": "in exact arithmetic; the rounding of a deployed network is left out",
    "float32": "computed in float32 with sums in any order, fused or not",
    "bfloat16": "computed in bfloat16 with sums in float32 in any order, fused or not",
}
_NOT_COVERED: dict[DeployDtype, str] = {
    "real": "not covered: rounding of any kind",
    "float32": "not covered: TF32, float16 and bfloat16 units, Winograd and FFT convolutions, flushed denormals, "
    "runtimes that fold layers together",
    "bfloat16": "not covered: TF32 and float16 units, Winograd and FFT convolutions, flushed denormals, sums split in "
    "bfloat16, runtimes that fold layers together",
}
VERDICTS: tuple[Verdict, ...] = ("certified", "falsified", "unknown", "misclassified")


def certificates(model: ModelRecord) -> tuple[CertificateRecord, ...]:
    """The records of the proofs, none where they were skipped."""
    return () if isinstance(model.certificates, Skipped) else model.certificates


def statement(model: ModelRecord) -> list[str]:
    """What is proved of a certified sample, and for which machines it does not hold; empty where nothing was asked."""
    found = certificates(model)
    if not found:
        return []
    first = found[0]
    where = "of the ball that lies in the input range" if first.clipped else "of the whole ball"
    lead = f"certified: the graph as loaded gives the true label at every point {where}"
    return [f"{lead}, {_ARITHMETIC[first.deploy_dtype]}", _NOT_COVERED[first.deploy_dtype]]


def products(model: ModelRecord) -> list[str]:
    """What margins over the product of layer norms would prove, beside what is proved; empty where not known."""
    found = [
        f"{record.norm} {lower(max(record.product_radius.median, 0.0))} "
        f"(against {lower(max(record.certified_radius.median, 0.0))})"
        for record in model.radii
        if record.product_radius is not None
    ]
    lead = "product radius, for contrast (margin over product of layer norms), median"
    return [f"{lead}: {', '.join(found)}"] if found else []


def given_up(model: ModelRecord) -> list[str]:
    """In which balls unknown samples were not tried with the dear bounds, and what would try them."""
    balls = [f"{r.norm} {radius(r.eps)}: {count(r.untried)}" for r in certificates(model) if r.untried]
    if not balls:
        return []
    return [
        f"unknown and not tried with linear bounds: {', '.join(balls)} samples",
        "(more promising ones failed, or the work allowed was spent; --effort high tries every one)",
    ]


def decided_by(record: CertificateRecord) -> str:
    """Methods that proved or broke samples, with their numbers, the most frequent first."""
    return ", ".join(f"{method} {count(number)}" for method, number in decided(record).items())


def decided(record: CertificateRecord) -> dict[str, int]:
    """Method, without what it rests on, -> samples it proved or broke."""
    found: Counter[str] = Counter()
    for method, number in record.decided_by.items():
        found[method.split(" (", 1)[0]] += number
    return dict(found)


def methods(records: Sequence[CertificateRecord]) -> list[str]:
    """The methods that decided anything in any of these balls, the most frequent first."""
    total: Counter[str] = Counter()
    for record in records:
        total.update(decided(record))
    return [name for name, _ in total.most_common()]
