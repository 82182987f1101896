"""Assertions about reports: configuration, checks, gate. Light: no torch, no numpy."""

from lipcert.policy.compare import compare_reports, differences
from lipcert.policy.config import CheckSpec, Config, FailOn, Setting
from lipcert.policy.evaluate import evaluate
from lipcert.policy.gate import exit_code, gate, gated, is_unsure
from lipcert.policy.load import load_config
from lipcert.policy.paired import read_rows
from lipcert.policy.presets import PRESETS
from lipcert.policy.regression import Baseline
from lipcert.policy.selection import analyses_needed, balls_needed, checks_for, settings_for

__all__ = [
    "PRESETS",
    "Baseline",
    "CheckSpec",
    "Config",
    "FailOn",
    "Setting",
    "analyses_needed",
    "balls_needed",
    "checks_for",
    "compare_reports",
    "differences",
    "evaluate",
    "exit_code",
    "gate",
    "gated",
    "is_unsure",
    "load_config",
    "read_rows",
    "settings_for",
]
