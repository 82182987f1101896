"""Short names for metrics, which analysis each needs, and which way is better: one table for config and reports."""

from __future__ import annotations

from typing import Literal

ALIASES = {
    "clean.accuracy": "margins.clean_accuracy",
    "clean.loss": "margins.clean_loss",
    "certified.accuracy": "certificates.certified_accuracy",
    "certified.radius": "radii.certified_radius.median",
    "robust.accuracy": "robustness.robust_accuracy",
    "attacked.accuracy": "robustness.robust_accuracy.upper",
    "robust.loss": "robustness.robust_loss",
    "robust.risk": "brackets.population_risk",
    "undecided": "brackets.undecided",
    "adversarial.radius": "adversarial_radii.adversarial_radius.median",
    "margin": "margins.distribution.median",
    "lipschitz.l2": "lipschitz.value[norm=l2,scope=global]",
    "lipschitz.linf": "lipschitz.value[norm=linf,scope=global]",
    "lipschitz.l1": "lipschitz.value[norm=l1,scope=global]",
    "jacobian.norm": "jacobian.statistics.spectral_norm.median",
    "layers.norm": "layers.spectral_norm",
    "layers.spectral_outlier": "layers.spectral_outlier",
    "attacks.failed": "evaluation.failed",
    "fidelity": "fidelity.agreement",
}
"""Alias -> id. Dashes count as underscores, and `.upper` or `.lower` may follow."""

Better = Literal["higher", "lower"]

_ANALYSES = {
    "layers": ("layers",),
    "lipschitz": ("lipschitz",),
    "clever": ("lipschitz",),
    "jacobian": ("jacobian",),
    "margins": ("margins",),
    "robustness": ("robustness",),
    "adversarial_radii": ("robustness",),
    "evaluation": ("robustness",),
    "certificates": ("certificates",),
    "radii": ("certificates",),
    "brackets": ("robustness", "certificates"),
    "generalization": ("generalization",),
    "normalised_margins": ("generalization",),
    "measures": ("generalization",),
    "all_layer_margin": ("generalization",),
    "noise_resilience": ("generalization",),
    "training_gaps": ("generalization",),
}
_ALSO = {
    "jacobian.surrogates": ("robustness",),
    "jacobian.alignment": ("robustness",),
    "jacobian.linearity": ("robustness",),
    "jacobian.correlations": ("robustness",),
    "robustness.robust_accuracy": ("certificates",),
    "robustness.attacks.robust_accuracy": ("certificates",),
}
_HIGHER = tuple("accuracy radius radii agreement margin nearest distances".split())
_LOWER = tuple(
    "loss norm risk undecided lipschitz log10_value vacuous outlier diagnostics unseen evaluation max_abs_diff "
    "max_rel_diff hessian gradient unsupported gaps deviation".split()
)


def analyses_of(path: str) -> tuple[str, ...]:
    """Names of the analyses that a metric is made by; none for what every report holds.

    The two-sided robust accuracy needs certificates as well; its `.upper` alone does not.
    """
    more = next((names for start, names in _ALSO.items() if path.startswith(start)), ())
    if path.endswith(".upper"):
        more = ()
    return _ANALYSES.get(path.partition(".")[0], ()) + more


def better_of(path: str) -> Better | None:
    """Which way a metric is better; None where that is a matter of taste."""
    if path.endswith("loss"):
        return "lower"
    if any(word in path for word in _HIGHER):
        return "higher"
    return "lower" if any(word in path for word in _LOWER) else None
