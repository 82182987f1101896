"""`lipcert analyze`: the whole report on one model."""

from __future__ import annotations

from lipcert.cli.option import Command
from lipcert.cli.options import take

HELP = """Measure, attack and certify a trained classifier.

Without --data: layer norms and Lipschitz constants. With it also Jacobians, margins, loss under attack, certified
radii, and the bracket in which the true robust accuracy lies.

\b
  lipcert analyze net.onnx
  lipcert analyze net.onnx --data test.npz --samples 500 --eps 2/255,8/255
  lipcert analyze net.pt --data test.npz --mean 0.5 --std 0.5 --report json=net.json
"""

OPTIONS = take(
    "model config data labels train_data init_model split samples scale mean std layout input_range input_shape "
    "output_name allow_code eps norm confidence only skip effort spectrum jacobian_norm device dtype batch_size "
    "threads seed seeds deploy_dtype time_budget timeout max_memory no_isolation deterministic format json "
    "output report per_sample save_adversarials overwrite color quiet verbose"
)
ANALYZE = Command("analyze", "lipcert.cli.analysis", HELP, OPTIONS)
