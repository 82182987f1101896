"""`lipcert init`: a configuration to start from."""

from __future__ import annotations

from lipcert.cli.analyze import OPTIONS
from lipcert.cli.option import Command
from lipcert.cli.options import without

HELP = """Write a commented configuration from a model's present numbers.

Analyses MODEL and writes lipcert.toml (or the file of --output; - is stdout) with a check for each of its main numbers
that leaves a little room. Edit it, commit it, and let lipcert check hold every later model to it.

\b
  lipcert init net.onnx --data test.npz
  lipcert init net.onnx --data test.npz --samples 500 --eps 2/255 -o ci/lipcert.toml
"""

INIT = Command(
    "init",
    "lipcert.cli.drafting",
    HELP,
    without(OPTIONS, "config only skip per_sample save_adversarials format json report spectrum jacobian_norm"),
)
