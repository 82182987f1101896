"""Records of what a certifier proved."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lipcert.analyses.base import accuracy, summarise
from lipcert.analyses.certificates.certifier import Certifier
from lipcert.analyses.certificates.ladder import Ladder
from lipcert.analyses.certificates.lipschitz import LipschitzRadii
from lipcert.analyses.certificates.standing import Standing
from lipcert.records import CertificateRecord, Norm, RadiusRecord, Soundness


def certificate_records(certifier: Certifier) -> tuple[CertificateRecord, ...]:
    """One record a ball."""
    return tuple(_certificate(certifier, standing) for standing in certifier.standings)


def radius_records(certifier: Certifier, *, seed: int = 0) -> tuple[RadiusRecord, ...]:
    """One record a norm."""
    return tuple(_radius(certifier, norm, seed) for norm in certifier.norms)


def _certificate(certifier: Certifier, standing: Standing) -> CertificateRecord:
    by = [method for method, proved in zip(standing.by, standing.certified.tolist(), strict=True) if proved]
    return CertificateRecord(
        norm=standing.norm,
        eps=standing.eps,
        samples=len(standing.wrong),
        certified_accuracy=accuracy(standing.certified),
        method="; ".join(dict.fromkeys([*Counter(by), *([] if by else standing.tried)])) or "none tried",
        soundness=_soundness(certifier, set(by)),
        deploy_dtype=certifier.deploy_dtype,
        clipped=certifier.clipped,
        verdicts=dict(Counter(standing.verdicts())),
        decided_by=standing.decided(),
        obstacle=certifier.obstacles.get((standing.norm, standing.eps), ""),
        untried=standing.untried if isinstance(certifier.ladder, Ladder) else 0,
    )


def _soundness(certifier: Certifier, methods: set[str]) -> Soundness:
    """Bounds on regions are proved; a Lipschitz constant may be less sure."""
    lipschitz = certifier.lipschitz
    if isinstance(lipschitz, LipschitzRadii) and lipschitz.method in methods:
        return lipschitz.soundness
    return Soundness.PROVED


def _radius(certifier: Certifier, norm: Norm, seed: int) -> RadiusRecord:
    methods = [certifier.lipschitz.method] if isinstance(certifier.lipschitz, LipschitzRadii) else []
    if certifier.searched.get(norm):
        way = "linear bounds or local Lipschitz constants" if norm == "l2" else "linear bounds"
        methods.insert(0, f"{way}, searched for the first {certifier.searched[norm]} samples")
    methods.append("the balls proved")
    return RadiusRecord(
        norm=norm,
        method="largest of: " + "; ".join(methods),
        soundness=_soundness(certifier, set(methods)),
        certified_radius=summarise(certifier.radius(norm), seed=seed),
        deploy_dtype=certifier.deploy_dtype,
        clipped=certifier.clipped,
        searched=certifier.searched.get(norm, 0),
        product_radius=summarise(certifier.products[norm], seed=seed) if norm in certifier.products else None,
    )


def certified_radii(certifier: Certifier) -> list[dict[Norm, float]]:
    """Norm -> certified radius, one entry a sample."""
    columns = {norm: certifier.radius(norm).tolist() for norm in certifier.norms}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def product_radii(certifier: Certifier) -> list[dict[Norm, float]]:
    """Norm -> radius from the product of layer norms alone, one entry a sample; empty where there is none."""
    columns = {norm: values.tolist() for norm, values in certifier.products.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def verdicts(certifier: Certifier) -> list[list[dict[str, Any]]]:
    """The verdict in each ball, one list a sample."""
    return [list(row) for row in zip(*(standing.rows() for standing in certifier.standings), strict=True)]
