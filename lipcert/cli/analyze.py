"""`lipcert analyze`: the whole report on one model."""

from __future__ import annotations

from lipcert.cli import gate_options, options
from lipcert.cli.signature import command

HELP = """Measure, attack and certify a trained classifier.

Without --data: layer norms and Lipschitz constants. With it also Jacobians, margins, loss under attack, certified
radii, and the bracket in which the true robust accuracy lies.

\b
  lipcert analyze net.onnx
  lipcert analyze net.onnx --data test.npz --samples 500 --eps 2/255,8/255
  lipcert analyze net.pt --data test.npz --mean 0.5 --std 0.5 --report json=net.json
"""


PARAMETERS = {
    "model": options.Model,
    "config": gate_options.Config,
    "data": options.Data,
    "labels": options.Labels,
    "train_data": options.TrainData,
    "init_model": options.InitModel,
    "split": options.Split,
    "samples": options.Samples,
    "scale": options.Scale,
    "mean": options.Mean,
    "std": options.Std,
    "layout": options.Layout,
    "input_range": options.InputRange,
    "input_shape": options.InputShape,
    "output_name": options.OutputName,
    "allow_code": options.AllowCode,
    "eps": options.Eps,
    "norm": options.Norms,
    "confidence": options.Confidence,
    "only": options.Only,
    "skip": options.Skip,
    "effort": options.Effort,
    "spectrum": options.Spectrum,
    "jacobian_norm": options.Exponents,
    "device": options.Device,
    "dtype": options.Dtype,
    "batch_size": options.BatchSize,
    "threads": options.Threads,
    "seed": options.Seed,
    "seeds": options.Seeds,
    "deploy_dtype": options.DeployDtype,
    "time_budget": options.TimeBudget,
    "timeout": options.WallClock,
    "max_memory": options.MaxMemory,
    "no_isolation": options.NoIsolation,
    "deterministic": options.Deterministic,
    "format": options.Format,
    "json": options.Json,
    "output": options.Output,
    "report": options.Reports,
    "per_sample": options.PerSample,
    "save_adversarials": options.Adversarials,
    "overwrite": options.Overwrite,
    "color": options.Color,
    "quiet": options.Quiet,
    "verbose": options.Verbose,
}

analyze = command("analyze", "lipcert.cli.analysis", PARAMETERS, "Measure, attack and certify a trained classifier.")
