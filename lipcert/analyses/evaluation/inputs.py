"""Checks of the data against the range and the radii they are given."""

from __future__ import annotations

from lipcert.analyses.evaluation.base import Evidence, Finding, Searched, graded, not_applicable, of_ball, of_model

_ROUNDING = 1e-5
_USED = 0.05
_SMALL, _LARGE = 5e-4, 1.0
_AXES = {"linf": 0.0, "l2": 0.5, "l1": 1.0}


@of_model(
    "range",
    hint="Check --scale and --input-range: the data and the range look as if in different units.",
    reference="Carlini et al., arXiv 1902.06705, section 4",
)
def input_range(evidence: Evidence) -> Finding:
    """Clean values inside the declared range, and not in a corner of it."""
    limits, values = evidence.input_range, evidence.target.clean
    if limits is None or not values.numel():
        return not_applicable("no input range is declared: perturbed inputs are not clipped")
    low, high = limits
    room = _ROUNDING * (high - low)
    outside = float(((values < low - room) | (values > high + room)).double().mean())
    if outside:
        text = f"{outside:.1%} of the clean values lie outside [{low:g}, {high:g}]"
        return graded(outside, text, warn=0.0, fail=0.01, samples=len(values))
    used = float(values.amax() - values.amin()) / (high - low)
    text = f"clean values fill {used:.2%} of [{low:g}, {high:g}]"
    return graded(1 - used, text, warn=1 - _USED, fail=1 - _USED, samples=len(values))


@of_ball(
    "radius",
    hint="eps is in data units after scaling, before mean and std: 8/255 for images in [0, 1].",
    reference="Carlini et al., arXiv 1902.06705, section 4",
)
def radius(evidence: Evidence, entry: Searched) -> Finding:
    """A radius that is neither invisible nor as large as the data are wide."""
    dimension = max(evidence.target.clean[0].numel() if len(evidence.target.clean) else 1, 1)
    share = entry.ball.eps / (evidence.spread * dimension ** _AXES[entry.ball.norm])
    text = f"the radius is {share:.2g} of the width of the data" + (" per entry" if entry.ball.norm != "linf" else "")
    fine = entry.ball.eps == 0 or _SMALL / dimension ** (_AXES[entry.ball.norm] / 2) <= share <= _LARGE
    return Finding(
        status="pass" if fine else "warn",
        message=text,
        value=share,
        threshold=_LARGE,
        samples=len(evidence.target.clean),
    )
