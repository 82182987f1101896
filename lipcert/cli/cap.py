"""`lipcert cap`: a copy of a model whose layers keep a spectral norm."""

from __future__ import annotations

from lipcert.cli import options
from lipcert.cli.signature import command

HELP = """Write a copy of a model whose linear and convolution layers have spectral norms of at most beta.

Every layer's weight becomes W / max(1, s / beta), s its certified norm at its true input size; biases stay. The copy
has the format of MODEL and is read back and certified before it is written. With --data the change in accuracy is
told. Training with a cap keeps more accuracy: see lipcert.training.cap.

\b
  lipcert cap net.onnx --beta 2 -o capped.onnx --data test.npz
  lipcert cap net.pt --beta 1.5,fc2=4 -o capped.pt
"""

PARAMETERS = {
    "model": options.Model,
    "beta": options.Beta,
    "output": options.Copy,
    "data": options.Data,
    "labels": options.Labels,
    "samples": options.Samples,
    "scale": options.Scale,
    "mean": options.Mean,
    "std": options.Std,
    "layout": options.Layout,
    "input_range": options.InputRange,
    "input_shape": options.InputShape,
    "output_name": options.OutputName,
    "allow_code": options.AllowCode,
    "effort": options.Effort,
    "seed": options.Seed,
    "threads": options.Threads,
    "max_memory": options.MaxMemory,
    "timeout": options.WallClock,
    "no_isolation": options.NoIsolation,
    "format": options.PropertyFormat,
    "json": options.Json,
    "overwrite": options.Overwrite,
    "color": options.Color,
    "quiet": options.Quiet,
    "verbose": options.Verbose,
}

cap = command("cap", "lipcert.cli.capping", PARAMETERS, "Write a copy of a model with capped spectral norms.")
