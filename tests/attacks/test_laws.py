"""What holds for every attack there is, on nets with and without closed forms."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.attacks import (
    ATTACKS,
    Apgd,
    Ball,
    Ddn,
    Fab,
    Fgm,
    Fmn,
    Noise,
    Pgd,
    RandomNoise,
    Square,
    Wrm,
    run_attack,
    score_clean,
)
from lipcert.attacks.meter import Meter
from lipcert.graph.scores import cross_entropy, margins
from tests import graphs
from tests.attacks import closed_forms

EXAMPLES = {
    "ddn": [Ddn(steps=30), Ddn(loss="targeted", steps=15, rivals=2)],
    "fab": [Fab(steps=15, rivals=2, restarts=2)],
    "fmn": [Fmn(steps=30), Fmn(loss="ce", steps=30), Fmn(loss="targeted", steps=15, rivals=2)],
    "apgd": [
        Apgd(steps=20, exhaustive=True, random_start=False),
        Apgd(loss="margin", steps=12, restarts=2),
        Apgd(loss="dlr", steps=12),
        Apgd(loss="targeted", steps=12, rivals=3),
        Apgd(loss="targeted-dlr", steps=12, rivals=2, restarts=2),
    ],
    "fgm": [Fgm()],
    "noise": [RandomNoise()],
    "square": [Square(queries=60)],
    "wrm": [Wrm(gamma=0.1)],
    "pgd": [
        Pgd(steps=8, restarts=2, exhaustive=True),
        Pgd(loss="margin", steps=8, restarts=2),
        Pgd(loss="targeted", steps=8, restarts=4),
    ],
}
ALL = [attack for name in ATTACKS for attack in EXAMPLES[name]]
CLIMBERS = [attack for name in ("fgm", "pgd", "apgd") for attack in EXAMPLES[name]]
BALLS = [
    Ball(norm="l1", eps=2.5),
    Ball(norm="l1", eps=2.5, input_range=(0.0, 1.0)),
    Ball(norm="l2", eps=0.7),
    Ball(norm="linf", eps=0.15),
    Ball(norm="l2", eps=0.7, input_range=(0.0, 1.0)),
    Ball(norm="linf", eps=0.15, input_range=(0.0, 1.0)),
]
every = pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
balls = pytest.mark.parametrize("ball", BALLS, ids=lambda ball: f"{ball.norm}-{ball.input_range}")


def _problem(classes=4, count=12, seed=0):
    graph = graphs.conv(classes=classes, seed=seed)
    clean = graphs.uniform(count, 2, 6, 6, seed=seed)
    return closed_forms.target_of(graph, clean, graph(clean).argmax(dim=1))


@every
@balls
def test_candidates_stay_in_ball_and_box(attack, ball):
    target = _problem()
    noise = Noise(seed=0, stage=attack.name, indices=tuple(range(12)))
    candidates = attack.perturb(target.classify, target.clean, target.labels, ball, noise)
    assert candidates.shape[1:] == target.clean.shape
    for points in candidates:
        assert ball.contains(points, target.clean).all()


@every
@balls
def test_the_outcome_is_what_the_scorer_says_and_no_better_than_clean(attack, ball):
    target = _problem()
    clean = score_clean(target)
    worst = run_attack(target, attack, ball, clean, seed=0, batch_size=5)
    assert (worst.margin <= clean.margin).all()
    assert (worst.loss >= clean.loss).all()
    assert (worst.margin < clean.margin).any()
    assert ball.contains(worst.inputs, target.clean).all()
    logits = target.scorer(worst.inputs).double()
    torch.testing.assert_close(margins(logits, target.labels), worst.margin, rtol=1e-5, atol=1e-6)
    assert (cross_entropy(logits, target.labels) <= worst.loss + 1e-5).all()


@every
def test_same_seed_same_bytes_and_about_the_same_whatever_the_batch_size_and_the_company(attack):
    target, ball = _problem(), BALLS[4]
    metered = replace(target, classify=Meter(target.classify), scorer=Meter(target.scorer))
    clean = score_clean(target)
    first, again = (run_attack(metered, attack, ball, clean, seed=3, batch_size=12) for _ in range(2))
    assert torch.equal(first.inputs, again.inputs)
    split = run_attack(metered, attack, ball, clean, seed=3, batch_size=5)
    assert abs(split.accuracy - first.accuracy) <= 1.01 / 12
    some = torch.tensor([1, 4, 9])
    alone = run_attack(metered, attack, ball, clean, seed=3, rows=some)
    assert int((alone.broken[some] != first.broken[some]).sum()) <= 1
    assert torch.equal(alone.margin[0], clean.margin[0])


@pytest.mark.parametrize("attack", CLIMBERS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_binary_linear_loss_and_margin_are_optimal(attack, norm):
    graph = closed_forms.linear(2, 9)
    clean = graphs.random(20, 9, seed=5, dtype=torch.float64)
    labels = torch.arange(20) % 2
    target, ball = closed_forms.target_of(graph, clean, labels), Ball(norm=norm, eps=0.3)
    worst = run_attack(target, attack, ball, score_clean(target), seed=0)
    least = closed_forms.least_margin(graph, clean, labels, norm, 0.3)
    reached = slice(None) if attack.settings.get("exhaustive", True) else worst.margin > 0
    torch.testing.assert_close(worst.margin[reached], least[reached], rtol=0, atol=1e-6)
    torch.testing.assert_close(worst.loss[reached], torch.log1p(torch.exp(-least))[reached], rtol=0, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["l1", "l2", "linf"]),
    st.integers(2, 5),
    st.integers(1, 12),
    st.integers(0, 999),
    st.floats(0.01, 2),
)
def test_targeted_search_finds_the_least_margin_of_a_linear_classifier(norm, classes, features, seed, eps):
    graph = closed_forms.linear(classes, features, seed=seed)
    clean = graphs.random(6, features, seed=seed, dtype=torch.float64)
    labels = torch.arange(6) % classes
    target, ball = closed_forms.target_of(graph, clean, labels), Ball(norm=norm, eps=eps)
    least = closed_forms.least_margin(graph, clean, labels, norm, eps)
    for attack in (
        Pgd(loss="targeted", steps=30, restarts=classes - 1, exhaustive=True),
        Apgd(loss="targeted", steps=30, rivals=classes - 1, exhaustive=True, random_start=False),
    ):
        worst = run_attack(target, attack, ball, score_clean(target), seed=seed)
        torch.testing.assert_close(worst.margin, least, rtol=1e-6, atol=1e-6)


@every
def test_a_saturated_classifier_is_attacked(attack):
    """At logits some 10^5 apart a float32 softmax is one-hot and the gradient of its logarithm 0."""
    graph = closed_forms.linear(3, 8, dtype=torch.float32)
    for buffer in graph.module.buffers():
        buffer.mul_(1e5)
    clean = graphs.random(10, 8, seed=9)
    labels = graph(clean).argmax(dim=1)
    target, ball = closed_forms.target_of(graph, clean, labels), Ball(norm="l2", eps=3.0)
    assert graph(clean).softmax(dim=1).amax() == 1
    assert run_attack(target, attack, ball, score_clean(target), seed=0).accuracy < 0.5


@every
def test_a_gradient_that_is_nowhere_changes_nothing_and_breaks_nothing(attack):
    graph = graphs.mlp_of([(torch.zeros(3, 4), torch.tensor([1.0, 0.0, 0.0]))])
    target = closed_forms.target_of(graph, graphs.uniform(3, 4), torch.zeros(3, dtype=torch.long))
    worst = run_attack(target, attack, BALLS[0], score_clean(target), seed=0)
    assert worst.accuracy == 1
    assert worst.found == ("clean",) * 3


@every
def test_settings_are_the_fields(attack):
    assert type(attack)(**attack.settings) == attack
