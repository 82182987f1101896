"""Operators that no graph of ours can stand for, told from their names before anything is captured."""

from __future__ import annotations

from collections.abc import Iterable

from lipcert.errors import RefusedModelError

_OUTSIDE = frozenset("aten::from_file aten::save prim::rpc_async prim::rpc_sync prim::rpc_remote".split())
_RECURRENT = frozenset(
    "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell quantized_lstm".split()
)


def refuse_operators(operators: Iterable[str]) -> None:
    """Raise RefusedModelError where a qualified op name ("aten::gru", "quantized::linear") rules analysis out.

    Quantised TorchScript keeps its weights in packed objects that have no float graph.
    """
    found = sorted(set(operators))
    if outside := [op for op in found if op in _OUTSIDE]:
        raise RefusedModelError(f"the model reaches files or other processes ({', '.join(outside)}); it was not run")
    recurrent = [op for op in found if op.split("::")[-1].split(".")[0].lower() in _RECURRENT]
    if recurrent:
        raise RefusedModelError(
            f"the model is recurrent ({', '.join(recurrent)}); lipcert analyses feed-forward classifiers",
            hint="Analyse the feed-forward part on its own, or unroll the recurrence before export.",
        )
    packed = [op for op in found if op.startswith("quantized::")]
    if packed:
        raise RefusedModelError(
            f"the model is quantised ({', '.join(packed)}); its weights are packed integers without a float graph",
            hint="Give the float model, or export the quantised one to ONNX: its integer graph is read as float.",
        )
