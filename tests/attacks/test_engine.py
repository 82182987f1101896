"""What the engine refuses to believe, and what it keeps."""

import pytest
import torch

from lipcert.attacks import AbstractAttack, Ball, Pgd, Target, run_attack, score_clean, worst_of
from lipcert.errors import ModelError
from tests import graphs
from tests.attacks import closed_forms

BALL = Ball(norm="linf", eps=0.1, input_range=(0.0, 1.0))


class _Liar(AbstractAttack):
    """Proposes points that are in no ball."""

    @property
    def name(self):
        return "liar"

    def perturb(self, classify, clean, labels, ball, noise):
        return torch.stack([clean + 10, torch.full_like(clean, torch.nan)])


def _target():
    graph = graphs.mlp(6, 8, 3)
    clean = graphs.uniform(7, 6)
    return closed_forms.target_of(graph, clean, graph(clean).argmax(dim=1))


def test_points_outside_are_pulled_in():
    target = _target()
    worst = run_attack(target, _Liar(), BALL, score_clean(target), seed=0)
    assert BALL.contains(worst.inputs, target.clean).all()
    assert worst.inputs.isfinite().all()
    assert "liar in linf 0.1, seed 0" in worst.found


def test_the_scorer_decides():
    target = _target()
    reversed_ = Target(
        classify=target.classify,
        scorer=lambda x: -target.classify(x),
        clean=target.clean,
        labels=target.labels,
    )
    assert score_clean(target).accuracy == 1
    assert score_clean(reversed_).accuracy == 0


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_coarse_scorer_reads_no_point_outside_the_ball(norm):
    graph, clean = graphs.mlp(6, 8, 3).to(dtype=torch.float64), graphs.uniform(7, 6)
    ball = Ball(norm=norm, eps=0.1, input_range=(0.1, 0.7))
    read = []

    def single(points):
        read.append(points.to(torch.float32))
        return graph(read[-1].double())

    labels = graph(clean.double()).argmax(dim=1)
    target = Target(classify=graph, scorer=single, clean=clean.double(), labels=labels, reads=torch.float32)
    worst = run_attack(target, Pgd(), ball, score_clean(target), seed=0)
    assert len(read) > 2
    assert all(ball.contains(points, clean).all() for points in read)
    assert torch.equal(worst.inputs.float().double(), worst.inputs)


def test_points_with_logits_that_are_not_finite_show_nothing():
    target = _target()
    moved = lambda x: (x != target.clean).flatten(1).any(dim=1, keepdim=True)  # noqa: E731
    poisoned = Target(
        classify=target.classify,
        scorer=lambda x: torch.where(moved(x), torch.nan, target.classify(x)),
        clean=target.clean,
        labels=target.labels,
    )
    worst = run_attack(poisoned, _Liar(), BALL, score_clean(poisoned), seed=0)
    assert worst.accuracy == 1
    assert worst.margin.isfinite().all()
    assert worst.loss.isfinite().all()


def test_clean_logits_that_are_not_finite_are_refused():
    target = _target()
    broken = Target(classify=target.classify, scorer=lambda x: x[:, :3] / 0, clean=target.clean, labels=target.labels)
    with pytest.raises(ModelError, match="sample 0"):
        score_clean(broken)


def test_a_tie_is_an_error():
    graph = graphs.mlp_of([(torch.zeros(2, 3), torch.zeros(2))])
    target = closed_forms.target_of(graph, torch.rand(2, 3), torch.zeros(2, dtype=torch.long))
    assert score_clean(target).accuracy == 0


def test_worst_of_keeps_each_samples_worst():
    target = _target()
    clean = score_clean(target)
    attacked = run_attack(target, _Liar(), BALL, clean, seed=0)
    both = worst_of([attacked, clean])
    assert torch.equal(both.margin, torch.minimum(attacked.margin, clean.margin))
    assert torch.equal(both.loss, torch.maximum(attacked.loss, clean.loss))


def test_no_samples():
    target = _target()
    empty = Target(classify=target.classify, scorer=target.scorer, clean=target.clean[:0], labels=target.labels[:0])
    assert len(run_attack(empty, _Liar(), BALL, score_clean(target), seed=0).margin) in (0, 7)
