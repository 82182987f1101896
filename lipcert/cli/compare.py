"""`lipcert compare`: two reports, or two models."""

from __future__ import annotations

from lipcert.cli.analyze import OPTIONS
from lipcert.cli.option import Command, Option
from lipcert.cli.options import TABLE, take, without, written

HELP = """Show what changed from A to B.

And whether by more than is left open. A and B are JSON reports, which are compared without opening a model, or
models, which are analysed first. Numbers whose enclosures or 95 % intervals overlap are marked with a question mark.
Reports on other data, eps or methods are refused without --force. Exits with 0 unless --fail-on is given.

\b
  lipcert compare main.json pr.json
  lipcert compare main.json pr.json --per-sample main.jsonl --per-sample pr.jsonl --fail-on error
  lipcert compare old.onnx new.onnx --data test.npz --samples 500 -f markdown
"""

COMPARE = Command(
    "compare",
    "lipcert.cli.comparison",
    HELP,
    take(
        "before after force fail_on exit_zero per_sample config format all",
        fail_on=TABLE["fail_on"]._replace(text="Exit with 1 where surely, or perhaps, worse.  [never]"),
        per_sample=Option(
            TABLE["force"].panel,
            "Tables of A and B (.jsonl, .npz, .parquet), given twice: compares sample by sample.",
            "FILE",
            "many",
        ),
        format=written("text", "json", "markdown"),
    )
    | without(OPTIONS, "model config per_sample save_adversarials format"),
)
