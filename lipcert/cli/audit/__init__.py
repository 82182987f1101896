"""`lipcert audit`: a whole zoo, and what is known of it so far."""

from __future__ import annotations

from lipcert.cli.analyze import OPTIONS
from lipcert.cli.option import Command, Group, Option
from lipcert.cli.options import TABLE, take, without, written

HELP = """Analyse every model of a folder, a pattern or a manifest.

Results are kept in --output-dir, a file a model, named by what it was computed from: an interrupted audit goes on
where it stopped, and nothing completed is computed twice. A folder's audit.toml says which data go with which model.

\b
  lipcert audit sample_models
  lipcert audit zoo --data test.npz -j 4 --timeout 1h --report html=zoo.html
  lipcert audit status
  lipcert audit retry
  lipcert audit export -f csv -o zoo.csv
"""

_RESULTS_TO_MAKE = Option(
    TABLE["jobs"].panel,
    "Results to make again: only-missing, failed or always.  [only-missing]",
    "WHICH",
    words=("only-missing", "failed", "always"),
)
_SHARED = without(
    OPTIONS,
    "model config per_sample save_adversarials overwrite format init_model no_isolation json output report "
    "color quiet verbose",
)
_ENGINE = take("jobs retries fail_fast gpu_slots engine ray_address")
_VIEW = take(
    "config baseline fail_on exit_zero format json output report replace color quiet verbose",
    format=written("text", "json", "jsonl", "csv", "markdown", "html", "parquet"),
    replace=TABLE["overwrite"],
    config=Option(TABLE["config"].panel, "Data, options and checks, as for check; none is looked for.", "FILE", "path"),
)
_RUN = (
    take("targets output_dir") | _SHARED | _ENGINE | take("overwrite shard dry_run", overwrite=_RESULTS_TO_MAKE) | _VIEW
)
_RETRY = take("output_dir") | _ENGINE | take("threads timeout max_memory") | _VIEW
_SHOW = take("output_dir") | _VIEW

AUDIT = Group(
    "audit",
    "Analyse a whole zoo of models.",
    (
        Command("run", "lipcert.cli.audit.running", HELP, _RUN),
        Command("status", "lipcert.cli.audit.standing", "Say how far the audit is: a line, and what failed.", _SHOW),
        Command(
            "retry",
            "lipcert.cli.audit.retrying",
            "Analyse again what could not be concluded on, and what is missing.",
            _RETRY,
        ),
        Command("export", "lipcert.cli.audit.exporting", "Write the leaderboard of all results so far.", _SHOW),
    ),
    default="run",
)
