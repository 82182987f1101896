"""Robustness records."""

import pytest
import torch

from lipcert.analyses.robustness import analyze_robustness, choose_attacks
from lipcert.attacks import Target
from tests import graphs

EPS = {"linf": (0.15, 0.02), "l2": (0.1, 0.6)}


def _target(classes=4):
    graph = graphs.conv(classes=classes)
    clean = graphs.uniform(15, 2, 6, 6)
    labels = graph(clean).argmax(dim=1)
    labels[0] = (labels[0] + 1) % classes
    return Target(classify=graph, scorer=graph, clean=clean, labels=labels)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_records_are_consistent(classes):
    result = analyze_robustness(_target(classes), EPS, input_range=(0.0, 1.0))
    assert [(a.record.norm, a.record.eps) for a in result.attacked] == [
        ("linf", 0.02),
        ("linf", 0.15),
        ("l2", 0.1),
        ("l2", 0.6),
    ]
    for attacked in result.attacked:
        record = attacked.record
        assert record.clean_accuracy == pytest.approx(14 / 15)
        assert record.robust_loss >= max(record.clean_loss, *(a.robust_loss for a in record.attacks))
        assert record.robust_accuracy <= min(record.clean_accuracy, *(a.robust_accuracy for a in record.attacks))
        assert attacked.ball.contains(attacked.outcome.inputs, _target(classes).clean).all()
        assert (attacked.outcome.inputs >= 0).all()
        assert (attacked.outcome.inputs <= 1).all()
        assert record.clipped
        assert "[0, 1]" in record.eps_space


def test_loss_and_accuracy_are_monotone_in_eps():
    eps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
    records = [a.record for a in analyze_robustness(_target(), {"linf": eps}, effort="fast").attacked]
    assert [r.robust_accuracy for r in records] == sorted((r.robust_accuracy for r in records), reverse=True)
    assert [r.robust_loss for r in records] == sorted(r.robust_loss for r in records)
    assert records[-1].robust_accuracy < records[0].robust_accuracy
    assert not records[0].clipped


def test_seed_and_batches():
    first, again, split = (
        analyze_robustness(_target(), EPS, seed=5, batch_size=size).attacked[3] for size in (15, 15, 4)
    )
    assert first.record == again.record
    assert torch.equal(first.outcome.inputs, again.outcome.inputs)
    assert split.record.robust_accuracy == first.record.robust_accuracy


def test_more_effort_does_not_find_less_here():
    target = _target()
    loss = [
        analyze_robustness(target, {"l2": (0.5,)}, effort=effort).attacked[0].record.robust_loss
        for effort in ("fast", "default", "high")
    ]
    assert loss == sorted(loss)


@pytest.mark.parametrize("effort", ["fast", "default", "high"])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_every_effort_climbs_the_loss_to_the_end_and_searches_the_margin(effort, classes):
    attacks = choose_attacks(effort, classes=classes)
    assert len({attack.name for attack in attacks}) == len(attacks) == 3
    assert attacks[1].settings["exhaustive"]


def test_progress_covers_every_attack_in_every_ball():
    seen = []
    analyze_robustness(_target(), EPS, effort="fast", batch_size=4, progress=lambda *step: seen.append(step))
    assert seen[0] == ("robustness", 0, 15 * 4 * 3)
    assert seen[-1] == ("robustness", 15 * 4 * 3, 15 * 4 * 3)
    assert [step[1] for step in seen] == sorted(step[1] for step in seen)
