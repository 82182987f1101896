"""`lipcert cap`: a copy of a model whose layers keep a spectral norm."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import TABLE, take, written

HELP = """Write a copy of a model with capped spectral norms.

They are at most beta in every linear and convolution layer: its weight becomes W / max(1, s / beta), s its certified
norm at its true input size; biases stay. The copy has the format of MODEL and is read back and certified before it is
written. With --data the change in accuracy is told. Training with a cap keeps more accuracy: see lipcert.training.cap.

\b
  lipcert cap net.onnx --beta 2 -o capped.onnx --data test.npz
  lipcert cap net.pt --beta 1.5,fc2=4 -o capped.pt
"""

CAP = Command(
    "cap",
    "lipcert.cli.capping",
    HELP,
    take(
        "model beta output data labels samples scale mean std layout input_range input_shape output_name allow_code "
        "effort seed threads max_memory timeout no_isolation format json overwrite color quiet verbose",
        output=TABLE["output"]._replace(text="Where the copy goes."),
        format=written("text", "json"),
    ),
)
