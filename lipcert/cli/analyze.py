"""`lipcert analyze`: the whole report on one model."""

from __future__ import annotations

import typer

from lipcert.cli import options

HELP = """Measure, attack and certify a trained classifier.

Without --data: layer norms and Lipschitz constants. With it also Jacobians, margins, loss under attack, certified
radii, and the bracket in which the true robust accuracy lies.

\b
  lipcert analyze net.onnx
  lipcert analyze net.onnx --data test.npz --samples 500 --eps 2/255,8/255
  lipcert analyze net.pt --data test.npz --mean 0.5 --std 0.5 --report json=net.json
"""


def analyze(  # noqa: PLR0917  one parameter an option
    model: options.Model,
    data: options.Data = None,
    labels: options.Labels = None,
    train_data: options.TrainData = None,
    samples: options.Samples = None,
    scale: options.Scale = None,
    mean: options.Mean = None,
    std: options.Std = None,
    layout: options.Layout = None,
    input_range: options.InputRange = None,
    input_shape: options.InputShape = None,
    output_name: options.OutputName = None,
    allow_code: options.AllowCode = False,
    eps: options.Eps = None,
    norm: options.Norms = None,
    confidence: options.Confidence = None,
    only: options.Only = None,
    skip: options.Skip = None,
    effort: options.Effort = None,
    spectrum: options.Spectrum = None,
    jacobian_norm: options.Exponents = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    batch_size: options.BatchSize = None,
    threads: options.Threads = None,
    seed: options.Seed = None,
    seeds: options.Seeds = None,
    deploy_dtype: options.DeployDtype = None,
    time_budget: options.TimeBudget = None,
    max_memory: options.MaxMemory = None,
    deterministic: options.Deterministic = False,
    format: options.Format = None,  # noqa: A002  the option's own name
    json: options.Json = False,
    output: options.Output = None,
    report: options.Reports = None,
    per_sample: options.PerSample = None,
    save_adversarials: options.Adversarials = None,
    overwrite: options.Overwrite = False,
    color: options.Color = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Measure, attack and certify a trained classifier."""
    given = dict(locals())
    from lipcert.cli.analysis import run

    raise typer.Exit(run(given))
