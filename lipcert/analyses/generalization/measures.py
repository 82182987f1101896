"""Measures that were seen to go with the generalization gap: Jiang et al. (2020), Dziugaite et al. (2020).

From the weights of convolutions and dense layers as stored, batch normalisation folded in, biases ignored, each
reshaped to one row an output: s_i is the spectral norm of that matrix (not of the convolution as an operator), F_i its
Frobenius norm, d the number of matrices, m the number of training samples, gamma the absolute value of the 10 %
quantile of the training margins.

    log_prod_of_spec              L = sum ln s_i^2             log_prod_of_fro              sum ln F_i^2
    log_prod_of_spec_over_margin  L - 2 ln gamma               log_prod_of_fro_over_margin  the same
    log_sum_of_spec               ln d + L / d                 log_sum_of_fro               the same
    fro_over_spec                 S = sum F_i^2 / s_i^2        log_spec_orig_main           L - 2 ln gamma + ln S
    param_norm                    sum F_i^2                    inverse_margin               1 / gamma^2
    path_norm                     sum of the outputs for an input of ones through squared weights

A measure v is reported as sqrt(v / m), one that is a logarithm as (v - ln m) / 2.

Source: the code of Dziugaite et al., NeurIPS 2020 (nitarshan/robust-generalization-measures).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.analyses.generalization.architecture import Architecture
from lipcert.graph import Graph, Node
from lipcert.records import MeasureRecord

_MATRIX = {"addmm": 2, "mm": 1}
_ROWS = {"convolution": 1, "linear": 1}


def measures(graph: Graph, net: Architecture | None, margins: Tensor) -> tuple[MeasureRecord, ...]:
    """Those that need no initial weights.

    graph    in float64, batch norms folded
    net      its layers, for the path norm; None where it is no chain
    margins  of the training samples
    """
    matrices = [matrix for node in graph.nodes if (matrix := weight_matrix(node)) is not None]
    if not matrices or not all(bool(matrix.any()) for matrix in matrices):
        return ()
    spectral = [2 * math.log(float(torch.linalg.matrix_norm(matrix, 2))) for matrix in matrices]
    frobenius = [2 * math.log(float(torch.linalg.matrix_norm(matrix))) for matrix in matrices]
    count, depth, gamma = len(margins), len(matrices), abs(float(torch.quantile(margins, 0.1)))
    ratio = math.fsum(math.exp(f - s) for f, s in zip(frobenius, spectral, strict=True))
    logs = {"log_prod_of_spec": math.fsum(spectral), "log_prod_of_fro": math.fsum(frobenius)}
    logs |= {f"log_sum_of_{kind}": math.log(depth) + logs[f"log_prod_of_{kind}"] / depth for kind in ("spec", "fro")}
    plain = {"fro_over_spec": ratio, "param_norm": math.fsum(map(math.exp, frobenius))}
    if gamma > 0:
        for kind in ("spec", "fro"):
            logs[f"log_prod_of_{kind}_over_margin"] = logs[f"log_prod_of_{kind}"] - 2 * math.log(gamma)
        logs["log_spec_orig_main"] = logs["log_prod_of_spec_over_margin"] + math.log(ratio)
        plain["inverse_margin"] = gamma**-2
    if net is not None and (path := path_norm(net)) is not None:
        plain["path_norm"] = path
    final = {name: (value - math.log(count)) / 2 for name, value in logs.items()}
    final |= {name: math.sqrt(value / count) for name, value in plain.items()}
    return tuple(MeasureRecord(measure=name, value=value) for name, value in final.items() if math.isfinite(value))


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
