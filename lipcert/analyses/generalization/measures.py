"""Measures that were seen to go with the generalization gap: Jiang et al. (2020), Dziugaite et al. (2020).

From the weights W_i of convolutions and dense layers as stored, batch normalisation folded in, biases ignored, each
reshaped to one row an output: s_i is the spectral norm of that matrix (not of the convolution as an operator), F_i its
Frobenius norm, d the number of matrices, w all their entries in a row, m the number of training samples, gamma the
absolute value of the 10 % quantile of the training margins.

    log_prod_of_spec              L = sum ln s_i^2             log_prod_of_fro              sum ln F_i^2
    log_prod_of_spec_over_margin  L - 2 ln gamma               log_prod_of_fro_over_margin  the same
    log_sum_of_spec               ln d + L / d                 log_sum_of_fro               the same
    log_sum_of_spec_over_margin   ln d + (L - 2 ln gamma) / d  log_sum_of_fro_over_margin   the same
    fro_over_spec                 S = sum F_i^2 / s_i^2        log_spec_orig_main           L - 2 ln gamma + ln S
    param_norm                    sum F_i^2                    inverse_margin               1 / gamma^2
    path_norm                     P, the sum of the outputs for an input of ones through squared weights
    path_norm_over_margin         P / gamma^2

With the network before training, D_i its difference from W_i and v the differences in a row:

    fro_dist                      sum |D_i|_F^2                dist_spec_init               sum |D_i|_2^2
    log_spec_init_main            L - 2 ln gamma + ln sum |D_i|_F^2 / s_i^2

With sigma and sigma' of flatness.py, plain and magnitude-aware, c the number of entries of w, and e = 0.001:

    pacbayes_flatness             1 / sigma^2                  pacbayes_mag_flatness        1 / sigma'^2
    pacbayes_orig                 |w|^2 / (4 sigma^2) + ln(m / sigma) + 10
    pacbayes_init                 |v|^2 / (4 sigma^2) + ln(m / sigma) + 10
    pacbayes_mag_init             sum over entries of ln((e^2 + (sigma'^2 + 1) |v|^2 / c) / (e^2 + sigma'^2 v_k^2)) / 4
                                  + ln(m / sigma') + 10
    pacbayes_mag_orig             the same with |w|^2 for |v|^2

A measure v is reported as sqrt(v / m), one that is a logarithm as (v - ln m) / 2; pacbayes_sigma and
pacbayes_mag_sigma are sigma and sigma' themselves.

Source: the code of Dziugaite et al., NeurIPS 2020 (nitarshan/robust-generalization-measures).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.generalization.architecture import Architecture
from lipcert.analyses.generalization.flatness import FLOOR, Flatness
from lipcert.graph import Graph, Node
from lipcert.graph.fold import fold_batch_norm
from lipcert.records import MeasureRecord

_MATRIX = {"addmm": 2, "mm": 1}
_ROWS = {"convolution": 1, "linear": 1}


def measures(
    graph: Graph,
    net: Architecture | None,
    margins: Tensor,
    *,
    initial: Graph | None = None,
    flat: Flatness | None = None,
) -> tuple[MeasureRecord, ...]:
    """All that can be had.

    graph    in float64, batch norms folded
    net      its layers, for the path norm; None where it is no chain
    margins  of the training samples
    initial  the network before training, for distances from it
    flat     what noise the weights bear
    """
    matrices = _matrices(graph)
    if not matrices or not all(bool(matrix.any()) for matrix in matrices):
        return ()
    count, gamma = len(margins), abs(float(torch.quantile(margins.to(torch.float64), 0.1)))
    start = None if initial is None else _matrices(fold_batch_norm(initial.to(dtype=torch.float64, device="cpu")))
    moved = None if start is None else [one - other for one, other in zip(matrices, start, strict=True)]
    found = [_of_norms(matrices, gamma), _of_paths(net, gamma)]
    if moved is not None:
        found.append(_of_distances(matrices, moved, gamma))
    if flat is not None:
        found.append(_of_flatness(flat, matrices, moved, count))
    values = {name: _adjusted(name, value, count) for part in found for name, value in part.items()}
    if flat is not None:
        values |= {"pacbayes_sigma": flat.sigma, "pacbayes_mag_sigma": flat.magnitude_sigma}
    return tuple(MeasureRecord(measure=name, value=value) for name, value in values.items() if math.isfinite(value))


def _adjusted(name: str, value: float, samples: int) -> float:
    """A measure as it is reported."""
    if name.startswith("log_"):
        return (value - math.log(samples)) / 2
    return math.sqrt(value / samples) if value >= 0 else math.nan


def _matrices(graph: Graph) -> list[Tensor]:
    return [matrix for node in graph.nodes if (matrix := weight_matrix(node)) is not None]


def _of_norms(matrices: list[Tensor], gamma: float) -> dict[str, float]:
    spectral = [2 * math.log(float(torch.linalg.matrix_norm(matrix, 2))) for matrix in matrices]
    frobenius = [2 * math.log(float(torch.linalg.matrix_norm(matrix))) for matrix in matrices]
    depth, found = len(matrices), dict[str, float]()
    for kind, logs in (("spec", spectral), ("fro", frobenius)):
        total = math.fsum(logs)
        found |= {f"log_prod_of_{kind}": total, f"log_sum_of_{kind}": math.log(depth) + total / depth}
        if gamma > 0:
            less = total - 2 * math.log(gamma)
            found |= {f"log_prod_of_{kind}_over_margin": less}
            found |= {f"log_sum_of_{kind}_over_margin": math.log(depth) + less / depth}
    ratio = math.fsum(math.exp(f - s) for f, s in zip(frobenius, spectral, strict=True))
    found |= {"fro_over_spec": ratio, "param_norm": math.fsum(map(math.exp, frobenius))}
    if gamma > 0:
        found["log_spec_orig_main"] = found["log_prod_of_spec_over_margin"] + math.log(ratio)
        found["inverse_margin"] = gamma**-2
    return found


def _of_paths(net: Architecture | None, gamma: float) -> dict[str, float]:
    path = None if net is None else path_norm(net)
    if path is None:
        return {}
    return {"path_norm": path} | ({"path_norm_over_margin": path / gamma**2} if gamma > 0 else {})


def _of_distances(matrices: list[Tensor], moved: list[Tensor], gamma: float) -> dict[str, float]:
    squares = [float(one.square().sum()) for one in moved]
    found = {
        "fro_dist": math.fsum(squares),
        "dist_spec_init": math.fsum(float(torch.linalg.matrix_norm(one, 2)) ** 2 for one in moved),
    }
    norms = [2 * math.log(float(torch.linalg.matrix_norm(matrix, 2))) for matrix in matrices]
    ratio = math.fsum(square / math.exp(log) for square, log in zip(squares, norms, strict=True))
    if gamma > 0 and ratio > 0:
        found["log_spec_init_main"] = math.fsum(norms) - 2 * math.log(gamma) + math.log(ratio)
    return found


def _of_flatness(flat: Flatness, matrices: list[Tensor], moved: list[Tensor] | None, samples: int) -> dict[str, float]:
    sigma, wide = flat.sigma, flat.magnitude_sigma
    weights = torch.cat([matrix.flatten() for matrix in matrices])
    length = float(weights.square().sum())
    found = {"pacbayes_flatness": sigma**-2, "pacbayes_mag_flatness": wide**-2}
    references = {"orig": length}
    if moved is not None:
        away = torch.cat([one.flatten() for one in moved]).square()
        references["init"] = float(away.sum())
        for name, reference in references.items():
            top = FLOOR**2 + (wide**2 + 1) * reference / len(weights)
            logs = (top / (FLOOR**2 + wide**2 * away)).log()
            found[f"pacbayes_mag_{name}"] = float(logs.sum()) / 4 + math.log(samples / wide) + 10
    for name, reference in references.items():
        found[f"pacbayes_{name}"] = reference / (4 * sigma**2) + math.log(samples / sigma) + 10
    return found


def weight_matrix(node: Node) -> Tensor | None:
    """The weights of a convolution or dense layer, one row an output; None of any other node."""
    position = _MATRIX.get(node.op, _ROWS.get(node.op))
    if position is None or not node.parameter_names or not isinstance(node.args[position], Tensor):
        return None
    weight: Tensor = node.args[position].detach().to("cpu", torch.float64)
    return weight.mT if node.op in _MATRIX else weight.flatten(1)


def path_norm(net: Architecture) -> float | None:
    """The sum of the outputs for an input of ones where every weight is squared and every bias is 0.

    Values stay non-negative, so that the activations leave them alone; None where there is max pooling, or a layer
    whose entries are not known.
    """
    if not net.elementwise:
        return None
    value: Tensor | None = None
    try:
        for layer in net.layers:
            for _, link in layer.links:
                squared = link.powered(2)
                if value is None:
                    value = torch.ones(1, *squared.in_shape, dtype=torch.float64, device=squared.device)
                value = squared.apply(value.reshape(1, *squared.in_shape))
    except NotImplementedError:
        return None
    return None if value is None else float(value.sum())
