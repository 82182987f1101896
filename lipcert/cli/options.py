"""Every option and argument there is, once. Each long name is also read from LIPCERT_<OPTION>."""

from __future__ import annotations

from collections.abc import Mapping

from lipcert.cli.option import Option, argument

FORMATS = ("text", "json", "markdown", "html", "csv", "sarif", "junit", "github")
_ANALYSES = ("layers", "lipschitz", "jacobian", "margins", "robustness", "certificates", "generalization")
_DATA, _BALL, _WORK, _OUT = "Data and preprocessing", "Perturbations", "What is computed, and how", "Output"
_GATE, _ZOO = "Gate", "Zoo"

_ARGUMENTS = {
    "model": argument("MODEL", "ONNX, TorchScript or .pt2 file."),
    "models": argument("MODEL...", "Files, folders or glob patterns.", "many"),
    "targets": argument("TARGET...", "Folders, patterns, model files, or a manifest.", "many"),
    "result": argument("RESULT", "A stored JSON report; - is stdin."),
    "spec": argument("SPEC", "Property: .vnnlib, or .vnnlib.gz.", "path"),
    "before": argument("A", "JSON report or model."),
    "after": argument("B", "JSON report or model."),
    "topic": argument("[ID]", "A metric or check, like certified.accuracy."),
}
_SAMPLES = {
    "data": Option(_DATA, "Samples: .npz, .npy, .pt, IDX, CIFAR, CSV, image folder.", "PATH"),
    "labels": Option(_DATA, "Labels, where the data file has none.", "PATH"),
    "train_data": Option(_DATA, "Training samples, for train/test gaps.", "PATH"),
    "init_model": Option(_DATA, "MODEL before training, for a bound on unseen inputs.", "FILE", "path"),
    "split": Option(_DATA, "What --data was to the model.  [unknown]", "test|train|unknown"),
    "samples": Option(_DATA, "Use the first N samples.  [all]", "N"),
    "scale": Option(_DATA, "Data units = raw / S.  [255 for bytes, 1 for floats]", "S"),
    "mean": Option(_DATA, "The model reads (value - mean) / std; one, or one a channel.", "M,...", "many"),
    "std": Option(_DATA, "See --mean; 1/255 is accepted.", "S,...", "many"),
    "layout": Option(_DATA, "Axis order the model reads.", "nchw|nhwc"),
    "input_range": Option(_DATA, "Valid values in data units; attacks are clipped to it.", "LO,HI"),
    "input_shape": Option(_DATA, "Shape of one sample, where nothing else tells it.", "3,224,224"),
    "output_name": Option(_DATA, "Which of several outputs holds the scores.", "NAME"),
    "allow_code": Option(_DATA, "Let --data module:function run that code on this machine.", kind="flag"),
    "eps": Option(
        _BALL, "Radii in data units before normalisation: 2/255,8/255 or l2:0.5,linf:8/255.", "R,...", "many"
    ),
    "norm": Option(_BALL, "Norms of the balls; --eps applies to each.  [linf, l2]", "linf|l2|l1", "many"),
    "confidence": Option(_BALL, "Of each statement on the true risk.  [0.95]", "P"),
}
_COMPUTATION = {
    "only": Option(
        _WORK,
        "Report these alone: layers lipschitz jacobian margins robustness certificates.",
        "NAME,...",
        "many",
        words=_ANALYSES,
    ),
    "skip": Option(_WORK, "Leave these out.", "NAME,...", "many", words=_ANALYSES),
    "effort": Option(_WORK, "How hard attacks and bounds try.", "fast|default|high"),
    "spectrum": Option(_WORK, "Estimate the K largest singular values of each layer.  [0]", "K"),
    "jacobian_norm": Option(_WORK, "Also bound the Jacobian from l_P to l_Q: 3:1.5.", "P:Q,...", "many"),
    "beta": Option(_WORK, "The cap of every layer; NAME=B that of one layer.", "B,...", "many"),
    "device": Option(_WORK, "Where to compute.  [auto]", "auto|cpu|cuda[:i]"),
    "dtype": Option(_WORK, "Of forwards and attacks; proofs use float64.", "float32|float64"),
    "batch_size": Option(_WORK, "Samples a pass; speed and memory only.  [256]", "N"),
    "threads": Option(_WORK, "CPU threads.  [all cores]", "N"),
    "seed": Option(_WORK, "Of every random choice.  [0]", "N"),
    "seeds": Option(_WORK, "Attack with N seeds and keep the worst.  [1]", "N"),
    "deploy_dtype": Option(_WORK, "Arithmetic that certificates hold for.  [float32]", "real|float32|bfloat16"),
    "time_budget": Option(_WORK, "Time for attacks and bounds: 90s, 5m, 2h.  [none]", "5m"),
    "timeout": Option(_WORK, "End an analysis that takes longer: 90s, 5m, 2h.  [none]", "1h"),
    "max_memory": Option(_WORK, "End an analysis that takes more; bounds plan with half.", "8G"),
    "no_isolation": Option(_WORK, "Run the model in this very process: for debugging.", kind="flag"),
    "deterministic": Option(_WORK, "Same inputs, same bytes: leaves out time, host and arguments.", kind="flag"),
}
_RESULT = {
    "format": Option(
        _OUT,
        "text, json, markdown, html, csv, sarif, junit or github.  [text]",
        "FORMAT",
        also="-f",
        words=FORMATS,
    ),
    "json": Option(_OUT, "Same as -f json.", kind="flag"),
    "output": Option(_OUT, "Write the result to FILE; - is stdout.", "FILE", "path", also="-o"),
    "report": Option(
        _OUT,
        "Write the result once more; may be repeated.",
        "FORMAT=FILE",
        "many",
        words=tuple(f"{name}=" for name in FORMATS),
    ),
    "per_sample": Option(_OUT, "One row a sample: .jsonl, .npz or .parquet.", "FILE", "path"),
    "save_adversarials": Option(_OUT, "The worst inputs found: .npz, and a .png sheet of images.", "FILE", "path"),
    "sheet": Option(_OUT, "The .png of --save-adversarials, to show in HTML.", "FILE", "path"),
    "all": Option(_OUT, "Show every number that changed.", kind="flag"),
    "overwrite": Option(_OUT, "Replace an existing FILE even if it is no lipcert report.", kind="flag"),
    "color": Option(_OUT, "ANSI colours.  [auto]", "auto|always|never"),
    "quiet": Option(_OUT, "No progress and no hints on stderr.", kind="flag", also="-q"),
    "verbose": Option(_OUT, "Show every table, and tracebacks of internal errors.", kind="flag", also="-v"),
}
_JUDGEMENT = {
    "config": Option(_GATE, "Configuration.  [lipcert.toml, or pyproject.toml]", "FILE", "path"),
    "baseline": Option(_GATE, "An earlier JSON report, for checks of a regression.", "REPORT", "path"),
    "check": Option(_GATE, "Judge these checks alone.  [all]", "ID,...", "many"),
    "fail_on": Option(_GATE, "Lowest level that gates.  [error]", "error|warning|never"),
    "exit_zero": Option(_GATE, "Exit with 0 where the gate failed.", kind="flag"),
    "force": Option(_GATE, "Compare although data, eps or methods differ.", kind="flag"),
}
_AUDIT = {
    "output_dir": Option(_ZOO, "Where results are kept.  [lipcert-audit]", "DIR", "path"),
    "jobs": Option(_WORK, "Models at a time.  [1; with Ray one a core, or what the cluster holds]", "N", also="-j"),
    "retries": Option(_WORK, "Tries again after a kill or a lack of memory.  [1]", "N"),
    "shard": Option(_WORK, "Do the I-th of N parts, counted from 1.", "I/N"),
    "fail_fast": Option(_WORK, "Stop at the first model that cannot be concluded on.", kind="flag", off="--keep-going"),
    "dry_run": Option(_WORK, "Say what would be done and what it would cost.", kind="flag"),
    "gpu_slots": Option(_WORK, "Models at a time on each GPU.  [1]", "N"),
    "engine": Option(_WORK, "Who runs the models.  [local]", "local|ray"),
    "ray_address": Option(_WORK, "A Ray cluster that runs already.", "ADDRESS"),
}
TABLE: dict[str, Option] = _ARGUMENTS | _SAMPLES | _COMPUTATION | _RESULT | _JUDGEMENT | _AUDIT


def take(names: str, **otherwise: Option) -> dict[str, Option]:
    """Options of the table by name, in this order; `otherwise` are those that say or take something else here."""
    table = TABLE | otherwise
    return {name: table[name] for name in names.split()}


def without(options: Mapping[str, Option], names: str) -> dict[str, Option]:
    """Options less those named."""
    gone = set(names.split())
    return {name: option for name, option in options.items() if name not in gone}


def written(*formats: str) -> Option:
    """--format where only these can be written."""
    *first, last = formats
    text = f"{', '.join(first)} or {last}.  [{formats[0]}]"
    return TABLE["format"]._replace(text=text, words=formats)
