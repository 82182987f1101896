"""What the papers claim, as comparisons of two numbers that lipcert measured, each at every seed."""

from __future__ import annotations

from sample_models.recipes.claim import Claim, Evidence, Outcome, Quantity, constant, less, median, of
from sample_models.recipes.zoo import L2, LINF

_CLOSE, _FAR, _SIDE = "l2_0.15", f"l2_{L2:g}", f"linf_{LINF:g}"
_NEAR_ATTACK = f"{L2 / 20:g}"


def outcomes(found: Evidence) -> tuple[Outcome, ...]:
    """Every claim with what was measured."""
    return tuple(Outcome(claim=claim, numbers=tuple(_numbers(claim, found))) for claim in CLAIMS)


def _numbers(claim: Claim, found: Evidence) -> list[tuple[float, float]]:
    pairs = []
    for suffix in ("", "_0", "_1", "_2"):
        first, second = (found.get(name + suffix) for name in claim.nets)
        if first is None or second is None:
            continue
        try:
            pairs.append((float(claim.left(first)), float(claim.right(second))))
        except (KeyError, IndexError):
            continue
    return pairs


def _claim(
    id_: str, says: str, nets: tuple[str, str], left: Quantity, right: Quantity, *, expected: bool = True
) -> Claim:
    return Claim(id=id_, paper=id_[0], says=says, nets=nets, left=left, right=right, expected=expected)


def _same(name: str) -> tuple[str, str]:
    return name, name


_ATTACK = f"alignment cross-entropy attack {L2:g}"
_LOGITS = f"logit attack {_NEAR_ATTACK}"
_DEVIATION = f"deviation cross-entropy attack {L2:g}"

CLAIMS = (
    _claim(
        "W1a",
        "Jacobian-F training raises accuracy under l2 attack",
        ("jacobian_f", "standard"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}"),
    ),
    _claim(
        "W1b",
        "l1 training favours linf: accuracy under linf less under l2 attack",
        ("jacobian_l1", "jacobian_f"),
        less(f"robust_{_SIDE}", f"robust_{_FAR}"),
        less(f"robust_{_SIDE}", f"robust_{_FAR}"),
    ),
    _claim(
        "W1c",
        "at a cost of at most .05 in clean accuracy (right: standard less .05)",
        ("jacobian_f", "standard"),
        of("clean"),
        of("clean", plus=-0.05),
    ),
    _claim(
        "W2a",
        "the gap of the clean loss shrinks with the Jacobian (MNIST)",
        ("mnist_standard", "mnist_jacobian_f_light"),
        of("gap_clean_loss"),
        of("gap_clean_loss"),
    ),
    _claim(
        "W2b",
        "... and on (MNIST)",
        ("mnist_jacobian_f_light", "mnist_jacobian_f"),
        of("gap_clean_loss"),
        of("gap_clean_loss"),
    ),
    _claim(
        "W2c",
        "so does the gap of the loss under l2 attack (MNIST)",
        ("mnist_standard", "mnist_jacobian_f_light"),
        of("gap_robust_loss_l2_1.5"),
        of("gap_robust_loss_l2_1.5"),
    ),
    _claim(
        "W2d",
        "... and on (MNIST)",
        ("mnist_jacobian_f_light", "mnist_jacobian_f"),
        of("gap_robust_loss_l2_1.5"),
        of("gap_robust_loss_l2_1.5"),
    ),
    _claim(
        "R1a", "adversarial training damps the largest singular value", ("standard", "pgm"), of("sigma1"), of("sigma1")
    ),
    _claim("R1b", "... and the fifth", ("standard", "pgm"), of("spectrum", rank=4), of("spectrum", rank=4)),
    _claim("R1c", "data-dependent regularisation damps it more", ("pgm", "data_dependent"), of("sigma1"), of("sigma1")),
    _claim("R1d", "... and the fifth", ("pgm", "data_dependent"), of("spectrum", rank=4), of("spectrum", rank=4)),
    _claim(
        "R2a",
        "attacks align with singular vectors, less with rank: first above eighth",
        _same("standard"),
        of(_ATTACK, rank=0),
        of(_ATTACK, rank=7),
    ),
    _claim(
        "R2b",
        "... and far above a random direction",
        _same("standard"),
        of(_ATTACK, rank=0),
        lambda found: 2 * found["alignment random 0"][0],
    ),
    _claim(
        "R3a",
        "adversarial training makes the net more linear along attacks",
        ("standard", "pgm"),
        of(_DEVIATION),
        of(_DEVIATION),
    ),
    _claim(
        "R3b", "data-dependent regularisation likewise", ("standard", "data_dependent"), of(_DEVIATION), of(_DEVIATION)
    ),
    _claim(
        "R3c",
        "random directions bend less than adversarial ones",
        _same("standard"),
        of(_DEVIATION),
        of(f"deviation random {L2:g}"),
    ),
    _claim(
        "R4a",
        "the l2-logit attack gains sigma_1 at eps/20 (ratio above .999)",
        _same("standard"),
        of(f"gain {_LOGITS}"),
        constant(0.999),
    ),
    _claim(
        "R4b",
        "its median cosine with v_1 is above .99 there",
        _same("standard"),
        of(f"median_first {_LOGITS}"),
        constant(0.99),
    ),
    _claim(
        "R4c",
        "... and falls with eps",
        _same("standard"),
        of(f"median_first {_LOGITS}"),
        of(f"median_first logit attack {L2:g}"),
    ),
    _claim(
        "R4d",
        "ascent and power method walk together: share of samples",
        _same("standard"),
        of("power_method"),
        constant(0.99),
    ),
    _claim(
        "R5a",
        "data-dependent regularisation is robust like adversarial training (right: standard plus .1)",
        ("data_dependent", "standard"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}", plus=0.1),
    ),
    _claim(
        "R5b",
        "adversarial training above global spectral regularisation",
        ("pgm", "global_spectral"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}"),
    ),
    _claim(
        "R5c",
        "data-dependent above global",
        ("data_dependent", "global_spectral"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}"),
    ),
    _claim(
        "F1a",
        "a capped net fits true labels better than random ones",
        ("cap4", "random_labels_cap4"),
        of("fit"),
        of("fit"),
    ),
    _claim(
        "F1b",
        "without a cap random labels are fitted better",
        ("random_labels", "random_labels_cap4"),
        of("fit"),
        of("fit"),
    ),
    _claim(
        "F1c",
        "the same of the convolutional net, true against random labels",
        ("conv_cap4", "conv_random_labels_cap4"),
        of("fit"),
        of("fit"),
    ),
    _claim("F1d", "... and without a cap", ("conv_random_labels", "conv_random_labels_cap4"), of("fit"), of("fit")),
    _claim(
        "F2a",
        "normalised margins are larger for true labels than for random ones",
        ("standard", "random_labels"),
        median("normalised_bartlett"),
        median("normalised_bartlett"),
    ),
    _claim(
        "F2b",
        "likewise by the normalisation of Farnia et al.",
        ("standard", "random_labels"),
        median("normalised_farnia"),
        median("normalised_farnia"),
    ),
    _claim(
        "F3a",
        "the gap of accuracy under PGM attack shrinks with the cap",
        ("pgm", "pgm_cap2"),
        of(f"gap_robust_accuracy_{_FAR}"),
        of(f"gap_robust_accuracy_{_FAR}"),
    ),
    _claim(
        "F3b",
        "... and on",
        ("pgm_cap2", "pgm_cap1.3"),
        of(f"gap_robust_accuracy_{_FAR}"),
        of(f"gap_robust_accuracy_{_FAR}"),
    ),
    _claim(
        "F3c",
        "so does the gap of the loss",
        ("pgm", "pgm_cap1.3"),
        of(f"gap_robust_loss_{_FAR}"),
        of(f"gap_robust_loss_{_FAR}"),
    ),
    _claim(
        "F3d",
        "re-parametrised, accuracy does not collapse at beta 1.3 (above .9)",
        _same("cap1.3"),
        of("clean"),
        constant(0.9),
    ),
    _claim(
        "F4",
        "PGM training withstands a strong attack better than FGM training",
        ("pgm", "fgm"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}"),
    ),
    _claim(
        "G2a",
        "the input-gradient penalty robustifies least: Jacobian-F above it",
        ("jacobian_f", "input_gradient"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}"),
    ),
    _claim(
        "G2b",
        "cross-Lipschitz above it",
        ("cross_lipschitz", "input_gradient"),
        of(f"robust_{_FAR}"),
        of(f"robust_{_FAR}"),
    ),
    _claim("G2c", "it leaves J large", ("input_gradient", "jacobian_f"), of("frobenius"), of("frobenius")),
    _claim(
        "C1a",
        "certified accuracy: FGM-trained at beta 2 above standard",
        ("fgm_cap2", "standard"),
        of(f"certified_{_CLOSE}"),
        of(f"certified_{_CLOSE}"),
    ),
    _claim(
        "C1b",
        "the same of the convolutional net",
        ("conv_fgm_cap2", "conv_standard"),
        of(f"certified_{_CLOSE}"),
        of(f"certified_{_CLOSE}"),
    ),
    _claim(
        "R6",
        "global spectral regularisation leaves the spectrum as it is (right: standard less a tenth)",
        ("global_spectral", "standard"),
        of("sigma1"),
        lambda found: 0.9 * found["sigma1"],
        expected=False,
    ),
    _claim(
        "R7",
        "adversarially trained nets align as steeply as standard ones (first less eighth)",
        ("pgm", "standard"),
        lambda found: found[_ATTACK][0] - found[_ATTACK][7],
        lambda found: found[_ATTACK][0] - found[_ATTACK][7],
        expected=False,
    ),
)
