"""A Jacobian's record with every part filled in."""

from lipcert.records import (
    AlignmentRecord,
    CellRecord,
    CorrelationRecord,
    CurvatureProbeRecord,
    DistanceRecord,
    Distribution,
    FunctionalsRecord,
    GapRecord,
    JacobianClassRecord,
    JacobianRecord,
    LinearityRecord,
    OperatorNormRecord,
    PowerMethodRecord,
    RelationRecord,
    Skipped,
    Soundness,
    SurrogateLossRecord,
    SurrogateRecord,
)


def spread(scale=1.0, samples=1000):
    return Distribution(
        samples=samples,
        mean=3.52 * scale,
        std=1.7 * scale,
        min=0.61 * scale,
        q05=1.2 * scale,
        median=3.41 * scale,
        q95=7.8 * scale,
        max=11.9 * scale,
        ci95=(3.41 * scale, 3.63 * scale),
        counts=(3, 120, 260, 301, 180, 90, 40, 0, 4, 2),
    )


def _norm(p, q, *, exact):
    return OperatorNormRecord(
        p=p, q=q, lower=spread(), upper=spread(1.0 if exact else 1.1), exact=exact, gap=0.0 if exact else 0.1,
        soundness=Soundness.EXACT, method="closed form",
    )  # fmt: skip


def _surrogate(norm, eps, attacked):
    losses = [("first_order", 0.11, "below"), ("pairwise", 0.6, "above"), ("max_pair", 2.0, "above")]
    return SurrogateRecord(
        norm=norm,
        eps=eps,
        samples=1000,
        clean_loss=0.0312,
        robust_loss=attacked,
        surrogates=tuple(
            SurrogateLossRecord(name=name, loss=spread(value), linear=side)
            for name, value, side in [*losses, ("jacobian", 12.0, "above")]
        ),
    )


def _functionals():
    return FunctionalsRecord(
        samples=1000,
        statistics={"input_gradient": spread(1e-7), "cross_lipschitz": spread(20.0), "hessian_trace": spread(1e-3)},
        hessian="exact",
        relations=(
            RelationRecord(
                id="cross_lipschitz", statement="cross-Lipschitz = (2/K) |PJ|_F^2", kind="identity", worst=1e-15,
                holds=True, tightness=1.0,
            ),
        ),
        confident=0.91,
        masked=("input_gradient", "hessian_trace"),
        unmasked=("cross_lipschitz",),
        curvature_probe=CurvatureProbeRecord(step=0.1, samples=200, value=spread(), local=spread(0.3)),
        reading="91 % of the samples have 1 - p_y below 0.01: small values are no sign of robustness here.",
    )  # fmt: skip


def _line(direction, distance):
    return LinearityRecord(
        direction=direction,
        radius=distance,
        samples=128,
        logit_change=3.0 * distance,
        logit_deviation=0.5 * distance**2,
        feature_change=None if direction == "random" else 4.0 * distance,
        feature_deviation=None if direction == "random" else distance**2,
        spectral_norm=3.4,
    )


def _aligned(direction, distance, first):
    return AlignmentRecord(
        direction=direction, radius=distance, samples=128, by_rank=(first, 0.2, 0.1, 0.05, None),
        median_first=first, gain=None if direction == "random" else 0.98,
    )  # fmt: skip


_CELLS = CellRecord(
    samples=32, walls=4388, radius=spread(1e-3, 32), without_walls=0, local_radius=spread(1e-3, 31), decided=0.03,
    undecided_walls=7, soundness=Soundness.PROBABILISTIC, failure_probability=1e-7, method="Gaussian directions",
)  # fmt: skip


def full_jacobian(classes=10):
    """Every field in use."""
    lines = [_line(kind, share) for kind in ("cross-entropy attack", "random") for share in (0.1, 0.2, 0.5, 1.0)]
    return JacobianRecord(
        samples=1000,
        dtype="float64",
        method="reverse passes",
        soundness=Soundness.EXACT,
        statistics={
            "spectral_norm": spread(),
            "frobenius_norm": spread(1.4),
            "l1_entries": spread(73.0),
            "linf_l1_norm_upper": spread(70.0),
            "stable_rank": spread(0.5),
            "centred_spectral_norm": spread(0.93),
        },
        singular_spectrum=(3.41, 2.2, 1.71, 1.3, 0.98, 0.7, 0.4, 0.2, 0.1, 0.004)[:classes],
        operator_norms=(_norm(1, 2.5, exact=True), _norm("inf", "inf", exact=True), _norm("inf", 2, exact=False)),
        distances=(
            DistanceRecord(norm="l2", nearest=spread(0.3), unbounded=2, rivals=(1.0,), by_rival=(None, 0.5)),
            DistanceRecord(norm="linf", nearest=Skipped(reason="no way"), unbounded=9, rivals=(), by_rival=()),
        ),
        zero_rows=3,
        functionals=_functionals(),
        surrogates=(_surrogate("l2", 0.5, 0.375), _surrogate("linf", 8 / 255, None)),
        classes=tuple(
            JacobianClassRecord(label=label, samples=100, medians={"spectral_norm": 3.0, "margin": 8.0})
            for label in range(classes)
        ),
        correlations=(
            CorrelationRecord(first="spectral_norm", second="margin", samples=1000, value=-0.23, ci95=(-0.3, -0.16)),
        ),
        alignment=(
            _aligned("cross-entropy attack", 0.5, 0.43),
            _aligned("logit attack", 0.025, 0.99),
            _aligned("logit attack", 0.5, 0.8),
            _aligned("random", 0.0, 0.03),
        ),
        linearity=tuple(lines),
        cells=_CELLS,
        power_method=PowerMethodRecord(
            samples=128, steps=10, radius=5e-6, inside=31, agreement=spread(1e-9), tolerance=1e-6, holds=1.0
        ),
        gaps=(
            GapRecord(quantity="clean_loss", train=0.01, test=0.04, gap=0.03, ci95=(0.01, 0.05)),
            GapRecord(quantity="pairwise linf 0.03137254901960784", train=0.3, test=0.4, gap=0.1, ci95=(0.0, 0.2)),
        ),
    )


def skipped_jacobian():
    """Whatever can be skipped is."""
    gone = Skipped(reason="it would take too long")
    return JacobianRecord(
        samples=3, dtype="float32", method="Lanczos", soundness=Soundness.ESTIMATE,
        statistics={"spectral_norm_lower": spread()}, singular_spectrum=(), functionals=gone, surrogates=gone,
        alignment=gone, linearity=gone, cells=gone, power_method=gone, gaps=gone,
    )  # fmt: skip
