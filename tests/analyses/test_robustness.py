"""Robustness records, and what the cascade behind them promises."""

import math

import pytest
import torch

from lipcert.analyses.robustness import analyze_robustness
from lipcert.attacks import Target, plan
from lipcert.deadline import Deadline
from tests import graphs
from tests.attacks import closed_forms

EPS = {"linf": (0.15, 0.02), "l2": (0.1, 0.6)}


def _target(classes=4, count=15, shape=(2, 6, 6)):
    graph = graphs.conv(classes=classes)
    clean = graphs.uniform(count, *shape)
    labels = graph(clean).argmax(dim=1)
    labels[0] = (labels[0] + 1) % classes
    return Target(classify=graph, scorer=graph, clean=clean, labels=labels)


def _run(target, eps=EPS, **settings):
    return analyze_robustness(target, eps, **({"effort": "fast"} | settings))


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_records_are_consistent(classes):
    result = _run(_target(classes), {**EPS, "l1": (1.0,)}, input_range=(0.0, 1.0))
    assert [(a.record.norm, a.record.eps) for a in result.attacked] == [
        ("linf", 0.02),
        ("linf", 0.15),
        ("l2", 0.1),
        ("l2", 0.6),
        ("l1", 1.0),
    ]
    for attacked in result.attacked:
        record = attacked.record
        assert record.clean_accuracy == pytest.approx(14 / 15)
        assert record.robust_loss >= max(record.clean_loss, *(a.robust_loss for a in record.attacks))
        assert record.robust_accuracy <= min(record.clean_accuracy, *(a.robust_accuracy for a in record.attacks))
        assert record.robust_margin.min == pytest.approx(float(attacked.outcome.margin.min()))
        assert attacked.ball.contains(attacked.outcome.inputs, _target(classes).clean).all()
        assert record.clipped
        assert "[0, 1]" in record.eps_space
        assert record.unfinished == ()
        assert record.gradients == sum(attack.gradients for attack in record.attacks)


def test_loss_and_accuracy_are_monotone_in_eps():
    eps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
    records = [a.record for a in _run(_target(), {"linf": eps}).attacked]
    assert [r.robust_accuracy for r in records] == sorted((r.robust_accuracy for r in records), reverse=True)
    assert [r.robust_loss for r in records] == sorted(r.robust_loss for r in records)
    assert records[-1].robust_accuracy < records[0].robust_accuracy
    assert not records[0].clipped


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_distances_agree_with_the_balls_and_with_their_curve(norm):
    target = _target(count=40)
    levels = {"linf": (0.05, 0.1), "l2": (0.3, 0.6), "l1": (1.0, 3.0)}[norm]
    result = _run(target, {norm: levels}, input_range=(0.0, 1.0))
    near, (record,) = result.nearby[norm], result.radii
    for attacked in result.attacked:
        share = float((near.distance > attacked.ball.eps).double().mean())
        assert attacked.record.robust_accuracy == pytest.approx(share)
    known = near.distance.isfinite()
    assert near.outcome.broken[known].all()
    found = near.ball.distance(near.outcome.inputs, target.clean)
    assert torch.equal(found[known & (near.distance > 0)], near.distance[known & (near.distance > 0)])
    assert (near.distance == 0).equal(result.clean.broken)
    assert record.found == int(known.sum())
    shares = [point.robust_accuracy for point in record.curve]
    assert shares == sorted(shares, reverse=True)
    assert record.curve[0].robust_accuracy == result.clean.accuracy


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_the_nearest_error_of_a_linear_classifier_is_found(norm):
    graph = closed_forms.linear(3, 6, seed=3)
    clean = graphs.random(30, 6, seed=4, dtype=torch.float64)
    labels = graph(clean).argmax(dim=1)
    rows = closed_forms.weights(graph)
    gaps = rows[labels][:, None] - rows[None]
    dual = torch.linalg.vector_norm(gaps, {"l1": math.inf, "l2": 2, "linf": 1}[norm], dim=2)
    logits = graph(clean)
    ratio = ((logits.gather(1, labels[:, None]) - logits) / dual).scatter(1, labels[:, None], torch.inf)
    result = _run(closed_forms.target_of(graph, clean, labels), {norm: (0.1,)})
    distance = result.nearby[norm].distance
    assert (distance >= ratio.amin(dim=1) * (1 - 1e-9)).all()
    excess = distance / ratio.amin(dim=1) - 1
    assert excess.median() < 0.01
    assert excess.quantile(0.9) < 0.1


def test_seed_and_batches():
    first, again, split = (_run(_target(), seed=5, batch_size=size).attacked[3] for size in (15, 15, 4))
    assert first.record == again.record
    assert torch.equal(first.outcome.inputs, again.outcome.inputs)
    assert abs(split.record.robust_accuracy - first.record.robust_accuracy) <= 1.01 / 15


def test_more_effort_does_not_find_less_here():
    target = _target()
    loss = [
        _run(target, {"l2": (0.5,)}, effort=effort).attacked[0].record.robust_loss for effort in ("fast", "default")
    ]
    assert loss == sorted(loss)


def test_several_seeds_count_together_and_one_by_one():
    one, three = (_run(_target(count=30), {"linf": (0.08,)}, seeds=count).attacked[0] for count in (1, 3))
    assert one.record.seeds == ()
    assert [entry.seed for entry in three.record.seeds] == [0, 1, 2]
    assert three.record.robust_accuracy == min(entry.robust_accuracy for entry in three.record.seeds)
    assert three.record.seeds[0].robust_accuracy == one.record.robust_accuracy
    union = torch.stack([found.broken for found in three.by_seed.values()]).any(dim=0)
    assert torch.equal(union, three.outcome.broken)


def test_what_further_seeds_would_break_is_estimated_from_three_seeds_on():
    target = _target(count=30)
    two, four = (_run(target, {"linf": (0.08,)}, seeds=count).attacked[0] for count in (2, 4))
    assert two.record.unseen is None
    times = torch.stack([found.broken for found in four.by_seed.values()]).sum(dim=0)
    once, twice = int((times == 1).sum()), int((times == 2).sum())
    left = int((times == 0).sum())
    assert four.record.unseen == pytest.approx(min(left, 3 / 4 * once * (once - 1) / (2 * (twice + 1))))


def test_further_starts_are_made_only_where_the_first_ones_paid():
    target = _target(count=40)
    for eps in (0.005, 0.05, 0.08, 0.1):
        record = _run(target, {"linf": (eps,)}, effort="default").attacked[0].record
        first, *more = [attack for attack in record.attacks if attack.attack == "apgd-targeted"]
        assert bool(more) == (first.broken > 0)


def test_certified_samples_are_searched_for_their_loss_only():
    target = _target(count=20)
    claimed = torch.arange(20) < 12
    record = _run(target, {"linf": (0.001,)}, proved=lambda norm, eps: claimed).attacked[0].record
    assert record.proved == 12
    by_name = {attack.attack: attack.searched for attack in record.attacks}
    assert by_name["pgd-ce"] == 20
    assert by_name["apgd-targeted"] <= 8


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_time_budget_is_kept_and_what_was_left_out_is_said(seconds):
    deadline = Deadline.after(seconds)
    result = _run(_target(count=60), effort="high", deadline=deadline)
    record = result.attacked[-1].record
    assert record.unfinished
    assert record.clean_accuracy == pytest.approx(59 / 60)
    if seconds == 0:
        assert record.robust_accuracy == record.clean_accuracy
        assert result.radii[0].unfinished
    assert all(attack.complete for attack in result.attacked[-1].record.attacks[:-1])


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_samples(count):
    target = _target(count=3)
    few = Target(
        classify=target.classify, scorer=target.scorer, clean=target.clean[1:][:count], labels=target.labels[1:][:count]
    )
    if count:
        assert len(_run(few).attacked) == 4


def test_tables_and_classifiers_of_two_classes():
    graph = closed_forms.linear(2, 5)
    clean = graphs.random(9, 5, dtype=torch.float64)
    target = closed_forms.target_of(graph, clean, graph(clean).argmax(dim=1))
    for norm, eps in (("l1", 0.4), ("l2", 0.3), ("linf", 0.1)):
        (attacked,) = _run(target, {norm: (eps,)}).attacked
        least = closed_forms.least_margin(graph, clean, target.labels, norm, eps)
        torch.testing.assert_close(attacked.outcome.margin, least, rtol=0, atol=1e-6)
        worst = torch.log1p(torch.exp(-least))
        torch.testing.assert_close(attacked.outcome.loss, worst, rtol=0, atol=1e-6)


@pytest.mark.parametrize("effort", ["fast", "default", "high"])
@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_every_effort_climbs_the_loss_to_the_end(effort, norm, classes):
    chosen = plan(effort, norm, classes=classes)
    climbs = [stage for stage in chosen.stages if stage.attack.settings.get("exhaustive")]
    assert [stage.aim for stage in climbs] == ["loss"]
    assert chosen.near
    for stage in chosen.stages:
        assert stage.attack.settings.get("rivals", 1) <= classes - 1


def test_progress_covers_every_search():
    seen = []
    _run(_target(), batch_size=4, progress=lambda *step: seen.append(step))
    total = seen[0][2]
    assert seen[0] == ("robustness", 0, total)
    assert seen[-1] == ("robustness", total, total)
    assert [step[1] for step in seen] == sorted(step[1] for step in seen)
