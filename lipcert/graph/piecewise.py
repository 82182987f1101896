"""Is a network piecewise linear? Then its Jacobian is constant around almost every input."""

from __future__ import annotations

from lipcert.graph.graph import Graph
from lipcert.graph.node import Node

# Affine in their one live input, or a copy, a selection or a sum of live values.
_AFFINE = frozenset(
    """
    input getitem batch_of alias clone contiguous detach lift_fresh_copy _to_copy view _unsafe_view view_copy reshape
    flatten unflatten squeeze unsqueeze expand permute transpose t repeat flip roll cat stack slice slice_copy
    slice_scatter select select_scatter index index_select gather narrow split split_with_sizes chunk unbind diagonal
    as_strided tril triu unfold im2col channel_shuffle pixel_shuffle pixel_unshuffle constant_pad_nd reflection_pad1d
    reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d add sub rsub neg sum mean
    cumsum avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d _adaptive_avg_pool2d _adaptive_avg_pool3d
    upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d
    upsample_trilinear3d native_batch_norm _native_batch_norm_legit_no_training
    """.split()
)
# Linear on pieces; steps are constant on theirs.
_PIECEWISE = frozenset(
    """
    relu leaky_relu _prelu_kernel hardtanh hardsigmoid hardshrink clamp clamp_min clamp_max abs maximum minimum amax
    amin max min sort topk max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices max_pool2d max_pool3d
    adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d sign floor ceil round trunc threshold
    """.split()
)
# Bilinear: affine while only one of their inputs is live.
_PRODUCTS = frozenset("mul linear addmm mm bmm baddbmm convolution matmul".split())


def curved_ops(graph: Graph) -> tuple[str, ...]:
    """The ops between input and logits that are not piecewise linear; none where the network is.

    An op that is not known counts as curved.
    """
    wanted = {graph.output}
    for node in reversed(graph.nodes):
        if node in wanted:
            wanted.update(node.inputs)
    return tuple(sorted({node.op for node in wanted if not _piecewise_linear(node)}))


def _piecewise_linear(node: Node) -> bool:
    if node.op in _PRODUCTS:
        return len(node.inputs) == 1
    if node.op == "div":
        # Rounding modes give steps, which are piecewise constant.
        return len(node.inputs) == 1 and isinstance(node.args[0], Node)
    if node.op == "pow":
        return node.args[1:2] == (1,)
    if node.op in {"where", "masked_fill"}:
        return not isinstance(node.args[0 if node.op == "where" else 1], Node)
    return node.op in _AFFINE or node.op in _PIECEWISE
