"""An ONNX graph of one input and one output as a function of a float32 batch."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from lipcert.errors import LipcertError
from lipcert.load.onnx_interpreter import OnnxInterpreter

_PROBE_SEED = 20260102


@final
class OnnxFunction:
    """The first output of a graph.

    dtype     what the graph itself computes in
    together  the graph is run on whole batches; otherwise on one sample at a time, vectorised by vmap
    """

    def __init__(self, interpreter: OnnxInterpreter, dtype: torch.dtype, *, together: bool = True) -> None:
        self.interpreter = interpreter
        self.dtype = dtype
        self.together = together

    def __call__(self, batch: Tensor) -> Tensor:
        """Output of a batch of shape (N, *input_shape), shape (N, ...)."""
        if self.together:
            return self._run(batch)
        one_by_one: Tensor = torch.vmap(lambda sample: self._run(sample.unsqueeze(0)).squeeze(0))(batch)
        return one_by_one

    def _run(self, batch: Tensor) -> Tensor:
        if self.dtype == torch.float32:
            return self.interpreter(batch)[0]
        return self.interpreter(batch.to(self.dtype))[0].to(torch.float32)


def reads_batches(function: OnnxFunction, input_shape: tuple[int, ...]) -> bool:
    """Whether a file written for a batch of one gives for a larger batch what it gives sample by sample.

    Exporters write the batch size into shapes; where that cannot be undone, the samples of a batch run together
    give an error or a mixture.
    """
    samples = torch.rand(3, *input_shape, generator=torch.Generator().manual_seed(_PROBE_SEED))
    with torch.no_grad():
        alone = torch.cat([function(sample) for sample in torch.split(samples, 1)])
        try:
            together = function(samples)
        except LipcertError:
            return False
    close = together.shape == alone.shape and torch.allclose(together, alone, rtol=1e-3, atol=1e-5, equal_nan=True)
    return bool(close)
