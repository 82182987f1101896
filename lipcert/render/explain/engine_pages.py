"""Pages about how models are run, and what holds them in check."""

from __future__ import annotations

from lipcert.render.explain.page import Page

ENGINE_PAGES = (
    Page("audit.ray", "an audit on many machines: Ray, KubeRay, Slurm", ("ray", "kuberay", "slurm", "engine", "shard")),
    Page("safety", "what is done about files that cannot be trusted", ("untrusted", "refused", "bomb", "isolation")),
)
