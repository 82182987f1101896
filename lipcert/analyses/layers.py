"""Each layer as a linear operator at its real input size."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from lipcert.graph import Graph, Node
from lipcert.graph.fold import fold_batch_norm
from lipcert.progress import Progress, silent
from lipcert.records import Enclosure, LayerRecord, LayerSketch, Norm, Skipped, Soundness
from lipcert.rounding import down, up
from lipcert.rules import RULES, LayerNorms


def analyze_layers(
    norms: LayerNorms, *, spectrum: int = 0, progress: Progress = silent
) -> tuple[LayerRecord, ...] | Skipped:
    """Norms of every node with a linear operator of its own, in order of execution.

    Those are the layers with parameters, and pooling, scaling and interpolation. Layers that are not affine have a
    record where they matter to a Lipschitz constant: overlapping max pooling, normalisation by the sample's own
    statistics, and attention. A batch norm that was folded into the layer before it has none; the layer's description
    says so.

    spectrum  singular values to report of each affine layer
    """
    nodes = [node for node in norms.graph.nodes if _is_listed(node)]
    if not nodes:
        return Skipped(reason="the graph has no linear layer")
    records = []
    for done, node in enumerate(nodes):
        progress("layers", done, len(nodes))
        records.append(_record(node, norms, spectrum))
    progress("layers", len(nodes), len(nodes))
    return _with_shares(records)


def sketch_layers(graph: Graph) -> tuple[LayerSketch, ...]:
    """The same layers by name and shape alone; nothing is computed but the folding."""
    nodes = fold_batch_norm(graph).nodes
    return tuple(
        LayerSketch(
            name=node.name,
            op=node.op,
            description=RULES[node.op]().geometry(node).description,
            input_shape=tuple(node.inputs[0].shape[1:]),
            output_shape=tuple(node.shape[1:]),
            parameters=_parameters(node),
        )
        for node in nodes
        if _is_listed(node)
    )


def _is_listed(node: Node) -> bool:
    if node.op not in RULES:
        return False
    known = RULES[node.op]()
    return known.operator(node) is not None or known.constants(node) is not None


def _record(node: Node, norms: LayerNorms, spectrum: int) -> LayerRecord:
    geometry = RULES[node.op]().geometry(node)
    constants = RULES[node.op]().constants(node)
    frobenius: Enclosure | Skipped = Skipped(reason="the layer is not linear")
    if constants is None:
        induced: tuple[Norm, ...] = ("l2", "linf", "l1")
        constants = {norm: norms.norm(node, norm) for norm in induced}
        frobenius = norms.frobenius(node)
    spectral = constants["l2"]
    return LayerRecord(
        name=node.name,
        op=node.op,
        description=geometry.description,
        input_shape=tuple(node.inputs[0].shape[1:]),
        output_shape=tuple(node.shape[1:]),
        parameters=_parameters(node),
        stride=geometry.stride,
        padding=geometry.padding,
        dilation=geometry.dilation,
        groups=geometry.groups,
        transposed=geometry.transposed,
        spectral_norm=spectral,
        linf_norm=constants["linf"],
        l1_norm=constants["l1"],
        frobenius_norm=frobenius,
        stable_rank=stable_rank(frobenius, spectral),
        spectrum=norms.spectrum(node, spectrum) if spectrum and norms.operator(node) is not None else None,
    )


def _parameters(node: Node) -> int:
    """Numbers in the constants that carry a name of the user's."""
    return sum(arg.numel() for arg in node.args if isinstance(arg, Tensor)) if node.parameter_names else 0


def stable_rank(frobenius: Enclosure | Skipped, spectral: Enclosure) -> Enclosure | Skipped:
    """frobenius^2 / spectral^2, from the far ends of both; it is at least 1."""
    if isinstance(frobenius, Skipped):
        return frobenius
    assert frobenius.upper is not None
    assert spectral.upper is not None
    if not spectral.lower:
        return Skipped(reason="the operator is zero, or its norm has no positive lower end")
    lower = down(down(frobenius.lower / spectral.upper) ** 2)
    upper = up(up(frobenius.upper / spectral.lower) ** 2)
    exact = frobenius.soundness is spectral.soundness is Soundness.EXACT
    return Enclosure(
        lower=max(1.0, lower) if upper >= 1.0 else lower,
        upper=max(1.0, upper),
        soundness=Soundness.EXACT if exact else _weakest(spectral),
        failure_probability=spectral.failure_probability,
        method="frobenius and spectral norm",
    )


def _weakest(spectral: Enclosure) -> Soundness:
    return Soundness.PROBABILISTIC if spectral.failure_probability else Soundness.PROVED


def _with_shares(records: list[LayerRecord]) -> tuple[LayerRecord, ...]:
    """Set each amplifying layer's part of the logarithm of the product of their norms; layers that shrink have none."""
    logs = [_log_upper(record.spectral_norm) for record in records]
    total = sum(log for log in logs if log is not None and log > 0)
    shares = [log / total if log is not None and log > 0 else None for log in logs]
    return tuple(replace(record, share=share) for record, share in zip(records, shares, strict=True))


def _log_upper(norm: Enclosure | Skipped) -> float | None:
    return math.log(norm.upper) if isinstance(norm, Enclosure) and norm.upper else None
