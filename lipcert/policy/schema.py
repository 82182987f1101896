"""The keys a configuration may hold, and which command-line option each stands for."""

from __future__ import annotations

from typing import Literal

from lipcert.records.metrics.walk import KEYS

Kind = Literal["text", "number", "list", "numbers", "flag", "path"]

TOP = tuple("schema fail_on preset presets baseline data preprocess analysis checks models ignore".split())
VERSION = 1

SECTIONS: dict[str, dict[str, tuple[str, Kind]]] = {
    "data": {
        "path": ("data", "path"),
        "labels": ("labels", "path"),
        "train_data": ("train_data", "path"),
        "samples": ("samples", "number"),
        "split": ("split", "text"),
    },
    "preprocess": {
        "scale": ("scale", "number"),
        "mean": ("mean", "numbers"),
        "std": ("std", "numbers"),
        "layout": ("layout", "text"),
        "input_range": ("input_range", "numbers"),
    },
    "analysis": {
        "norm": ("norm", "list"),
        "eps": ("eps", "numbers"),
        "effort": ("effort", "text"),
        "confidence": ("confidence", "number"),
        "device": ("device", "text"),
        "dtype": ("dtype", "text"),
        "batch_size": ("batch_size", "number"),
        "threads": ("threads", "number"),
        "seed": ("seed", "number"),
        "seeds": ("seeds", "number"),
        "deploy_dtype": ("deploy_dtype", "text"),
        "time_budget": ("time_budget", "text"),
        "max_memory": ("max_memory", "text"),
        "deterministic": ("deterministic", "flag"),
        "input_shape": ("input_shape", "numbers"),
        "output_name": ("output_name", "text"),
        "init_model": ("init_model", "path"),
    },
}
"""Section -> key -> name of the option and kind of its value."""

JOINED = {"input_range", "input_shape"}
"""Options that take their numbers as one string: "0,1"."""

CHECK_KEYS = ("metric", "level", "min", "max", "regression", "better", "accept")
SELECTORS = KEYS
LEVELS = ("note", "warning", "error", "off")
IGNORE_KEYS = ("check", "model", "reason", "expires")
MODEL_KEYS = ("data", "preprocess", "analysis", "checks")
