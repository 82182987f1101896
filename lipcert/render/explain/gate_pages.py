"""Pages about gates: checks and what surrounds them."""

from __future__ import annotations

from lipcert.render.explain.page import Page

GATE_PAGES = (
    Page("check", "an assertion about a number, and the states it can end in", ("checks", "lipcert.toml", "fail-on")),
    Page(
        "check.thresholds",
        "how min and max are judged against a number known from both sides",
        ("thresholds", "threshold", "min", "max", "inconclusive", "accept", "attacked.accuracy"),
    ),
    Page("check.metrics", "how a number of a report is named", ("metrics", "selectors", "metric")),
    Page("check.presets", "checks that come under one name", ("presets", "preset", "sanity", "strict")),
    Page("check.ignores", "letting a check fail for a reason and a while", ("ignores", "ignore", "expires")),
    Page("check.baseline", "no worse than an earlier report", ("baseline", "regression")),
    Page(
        "formats",
        "what each output format is for",
        ("text", "json", "markdown", "html", "csv", "sarif", "junit", "github", "format"),
    ),
    Page("compare", "what changed from one report to another", ("lipcert.compare", "paired", "maybe_worse")),
    Page("layers.spectral_outlier", "largest layer norm over the median one", ("layers.spectral-outlier",)),
    Page(
        "diagnostics",
        "how many findings there are besides the measurements",
        ("diagnostics.errors", "diagnostics.warnings", "evaluation.failed", "evaluation.warned"),
    ),
)
