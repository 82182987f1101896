"""Pages about commands: what they answer, how models are run, and what holds them in check."""

from __future__ import annotations

from lipcert.render.explain.page import Page

ENGINE_PAGES = (
    Page(
        "certify",
        "whether an input of some boxes has an output that a VNN-LIB property looks for",
        ("vnnlib", "property", "unsat", "sat", "counterexample", "lipcert.certify"),
    ),
    Page("exit_codes", "what the process's exit code says", ("exit", "gate")),
    Page("audit", "what is known of a whole zoo of models", ("zoo", "leaderboard", "lipcert.audit")),
    Page("audit.ray", "an audit on many machines: Ray, KubeRay, Slurm", ("ray", "kuberay", "slurm", "engine", "shard")),
    Page("safety", "what is done about files that cannot be trusted", ("untrusted", "refused", "bomb", "isolation")),
)
