"""Options that commands share; each long one is also read from LIPCERT_<OPTION>."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lipcert.cli.completion import completer, words_of


def _option(*names: str, panel: str, text: str, metavar: str | None = None, words: Sequence[str] = ()) -> Any:
    """An option with its environment variable, taken from its first long name.

    words  what a shell completes; by default those the metavar spells out
    """
    known = tuple(words) or words_of(metavar)
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = "LIPCERT_" + long.removeprefix("--").replace("-", "_").upper()
    return typer.Option(
        *names,
        help=text,
        metavar=metavar,
        envvar=variable,
        show_envvar=False,
        rich_help_panel=panel,
        show_default=False,
        autocompletion=completer(known) if known else None,
    )


FORMATS = ("text", "json", "markdown", "html", "csv", "sarif", "junit", "github")
_ANALYSES = ("layers", "lipschitz", "jacobian", "margins", "robustness", "certificates", "generalization")
_DATA, _BALL, _WORK, _OUT = "Data and preprocessing", "Perturbations", "What is computed, and how", "Output"

Model = Annotated[str, typer.Argument(metavar="MODEL", help="ONNX, TorchScript or .pt2 file.", show_default=False)]
Models = Annotated[
    list[str], typer.Argument(metavar="MODEL...", help="Files, folders or glob patterns.", show_default=False)
]
Result = Annotated[str, typer.Argument(metavar="RESULT", help="A stored JSON report; - is stdin.", show_default=False)]
Property = Annotated[Path, typer.Argument(metavar="SPEC", help="Property: .vnnlib, or .vnnlib.gz.", show_default=False)]
PropertyFormat = Annotated[
    str | None, _option("-f", "--format", panel=_OUT, metavar="FORMAT", text="text or json.  [text]", words=FORMATS[:2])
]
Beta = Annotated[
    list[str] | None,
    _option("--beta", panel=_WORK, metavar="B,...", text="The cap of every layer; NAME=B that of one layer."),
]
Copy = Annotated[Path | None, _option("-o", "--output", panel=_OUT, metavar="FILE", text="Where the copy goes.")]
PageFormat = Annotated[
    str | None,
    _option("-f", "--format", panel=_OUT, metavar="FORMAT", text="text, json or markdown.  [text]", words=FORMATS[:3]),
]
Data = Annotated[
    str | None,
    _option("--data", panel=_DATA, metavar="PATH", text="Samples: .npz, .npy, .pt, IDX, CIFAR, CSV, image folder."),
]
TrainData = Annotated[
    str | None, _option("--train-data", panel=_DATA, metavar="PATH", text="Training samples, for train/test gaps.")
]
InitModel = Annotated[
    Path | None,
    _option("--init-model", panel=_DATA, metavar="FILE", text="MODEL before training, for a bound on unseen inputs."),
]
Labels = Annotated[
    str | None, _option("--labels", panel=_DATA, metavar="PATH", text="Labels, where the data file has none.")
]
Samples = Annotated[str | None, _option("--samples", panel=_DATA, metavar="N", text="Use the first N samples.  [all]")]
Scale = Annotated[
    str | None,
    _option("--scale", panel=_DATA, metavar="S", text="Data units = raw / S.  [255 for bytes, 1 for floats]"),
]
Mean = Annotated[
    list[str] | None,
    _option(
        "--mean", panel=_DATA, metavar="M,...", text="The model reads (value - mean) / std; one, or one a channel."
    ),
]
Std = Annotated[list[str] | None, _option("--std", panel=_DATA, metavar="S,...", text="See --mean; 1/255 is accepted.")]
Layout = Annotated[
    str | None, _option("--layout", panel=_DATA, metavar="nchw|nhwc", text="Axis order the model reads.")
]
InputRange = Annotated[
    str | None,
    _option(
        "--input-range", panel=_DATA, metavar="LO,HI", text="Valid values in data units; attacks are clipped to it."
    ),
]
InputShape = Annotated[
    str | None,
    _option(
        "--input-shape", panel=_DATA, metavar="3,224,224", text="Shape of one sample, where nothing else tells it."
    ),
]
OutputName = Annotated[
    str | None, _option("--output-name", panel=_DATA, metavar="NAME", text="Which of several outputs holds the scores.")
]
AllowCode = Annotated[
    bool, _option("--allow-code", panel=_DATA, text="Let --data module:function run that code on this machine.")
]
Eps = Annotated[
    list[str] | None,
    _option(
        "--eps",
        panel=_BALL,
        metavar="R,...",
        text="Radii in data units before normalisation: 2/255,8/255 or l2:0.5,linf:8/255.",
    ),
]
Norms = Annotated[
    list[str] | None,
    _option("--norm", panel=_BALL, metavar="linf|l2|l1", text="Norms of the balls; --eps applies to each.  [linf, l2]"),
]
Confidence = Annotated[
    str | None,
    _option("--confidence", panel=_BALL, metavar="P", text="Of each statement on the true risk.  [0.95]"),
]
Split = Annotated[
    str | None,
    _option("--split", panel=_DATA, metavar="test|train|unknown", text="What --data was to the model.  [unknown]"),
]
Only = Annotated[
    list[str] | None,
    _option(
        "--only",
        panel=_WORK,
        metavar="NAME,...",
        text="Report these alone: layers lipschitz jacobian margins robustness certificates.",
        words=_ANALYSES,
    ),
]
Skip = Annotated[
    list[str] | None, _option("--skip", panel=_WORK, metavar="NAME,...", text="Leave these out.", words=_ANALYSES)
]
Effort = Annotated[
    str | None, _option("--effort", panel=_WORK, metavar="fast|default|high", text="How hard attacks and bounds try.")
]
Spectrum = Annotated[
    str | None,
    _option("--spectrum", panel=_WORK, metavar="K", text="Estimate the K largest singular values of each layer.  [0]"),
]
Exponents = Annotated[
    list[str] | None,
    _option("--jacobian-norm", panel=_WORK, metavar="P:Q,...", text="Also bound the Jacobian from l_P to l_Q: 3:1.5."),
]
Device = Annotated[
    str | None, _option("--device", panel=_WORK, metavar="auto|cpu|cuda[:i]", text="Where to compute.  [auto]")
]
Dtype = Annotated[
    str | None,
    _option("--dtype", panel=_WORK, metavar="float32|float64", text="Of forwards and attacks; proofs use float64."),
]
BatchSize = Annotated[
    str | None, _option("--batch-size", panel=_WORK, metavar="N", text="Samples a pass; speed and memory only.  [256]")
]
Threads = Annotated[str | None, _option("--threads", panel=_WORK, metavar="N", text="CPU threads.  [all cores]")]
Seed = Annotated[str | None, _option("--seed", panel=_WORK, metavar="N", text="Of every random choice.  [0]")]
Seeds = Annotated[
    str | None, _option("--seeds", panel=_WORK, metavar="N", text="Attack with N seeds and keep the worst.  [1]")
]
DeployDtype = Annotated[
    str | None,
    _option(
        "--deploy-dtype",
        panel=_WORK,
        metavar="real|float32|bfloat16",
        text="Arithmetic that certificates hold for.  [float32]",
    ),
]
TimeBudget = Annotated[
    str | None,
    _option("--time-budget", panel=_WORK, metavar="5m", text="Time for attacks and bounds: 90s, 5m, 2h.  [none]"),
]
Timeout = Annotated[
    str | None,
    _option(
        "--timeout", "--time-budget", panel=_WORK, metavar="5m", text="Stop after 90s, 5m, 2h, or never: none.  [5m]"
    ),
]
WallClock = Annotated[
    str | None,
    _option("--timeout", panel=_WORK, metavar="1h", text="End an analysis that takes longer: 90s, 5m, 2h.  [none]"),
]
MaxMemory = Annotated[
    str | None,
    _option("--max-memory", panel=_WORK, metavar="8G", text="End an analysis that takes more; bounds plan with half."),
]
NoIsolation = Annotated[
    bool, _option("--no-isolation", panel=_WORK, text="Run the model in this very process: for debugging.")
]
Deterministic = Annotated[
    bool,
    _option("--deterministic", panel=_WORK, text="Same inputs, same bytes: leaves out time, host and arguments."),
]
Format = Annotated[
    str | None,
    _option(
        "-f",
        "--format",
        panel=_OUT,
        metavar="FORMAT",
        text="text, json, markdown, html, csv, sarif, junit or github.  [text]",
        words=FORMATS,
    ),
]
Json = Annotated[bool, _option("--json", panel=_OUT, text="Same as -f json.")]
Output = Annotated[
    Path | None, _option("-o", "--output", panel=_OUT, metavar="FILE", text="Write the result to FILE; - is stdout.")
]
Reports = Annotated[
    list[str] | None,
    _option(
        "--report",
        panel=_OUT,
        metavar="FORMAT=FILE",
        text="Write the result once more; may be repeated.",
        words=[f"{name}=" for name in FORMATS],
    ),
]
PerSample = Annotated[
    Path | None, _option("--per-sample", panel=_OUT, metavar="FILE", text="One row a sample: .jsonl, .npz or .parquet.")
]
Adversarials = Annotated[
    Path | None,
    _option(
        "--save-adversarials",
        panel=_OUT,
        metavar="FILE",
        text="The worst inputs found: .npz, and a .png sheet of images.",
    ),
]
Sheet = Annotated[
    Path | None,
    _option("--sheet", panel=_OUT, metavar="FILE", text="The .png of --save-adversarials, to show in HTML."),
]
Overwrite = Annotated[
    bool, _option("--overwrite", panel=_OUT, text="Replace an existing FILE even if it is no lipcert report.")
]
Color = Annotated[str | None, _option("--color", panel=_OUT, metavar="auto|always|never", text="ANSI colours.  [auto]")]
Quiet = Annotated[bool, _option("-q", "--quiet", panel=_OUT, text="No progress and no hints on stderr.")]
Verbose = Annotated[
    bool, _option("-v", "--verbose", panel=_OUT, text="Show every table, and tracebacks of internal errors.")
]
