"""Random points and transferred ones."""

import torch

from lipcert.attacks import Ball, Pgd, RandomNoise, Target, run_attack, score_clean
from lipcert.attacks.transfer import fit_affine, run_transfer
from tests import graphs
from tests.attacks import closed_forms

BALL = Ball(norm="linf", eps=0.2)


def _target():
    graph = graphs.conv()
    clean = graphs.uniform(10, 2, 6, 6)
    return closed_forms.target_of(graph, clean, graph(clean).argmax(dim=1))


def test_more_draws_find_no_less():
    target = _target()
    few, many = (run_attack(target, RandomNoise(draws=n), BALL, score_clean(target), seed=0) for n in (2, 9))
    assert (many.margin <= few.margin + 1e-6).all()


def test_an_affine_surrogate_is_recovered_from_its_logits():
    weight, offset = graphs.random(3, 5, dtype=torch.float64), graphs.random(3, dtype=torch.float64)
    inputs = graphs.random(200, 5, seed=1, dtype=torch.float64)
    surrogate = fit_affine(inputs, inputs @ weight.T + offset)
    new = graphs.random(7, 5, seed=2, dtype=torch.float64)
    torch.testing.assert_close(surrogate(new), new @ weight.T + offset, rtol=0.01, atol=0.01)


def test_errors_transfer_to_a_file_without_gradients():
    target = _target()
    blind = Target(
        classify=lambda x: target.classify(x).detach(),
        scorer=target.scorer,
        clean=target.clean,
        labels=target.labels,
    )
    clean, attack = score_clean(blind), Pgd(loss="margin", steps=10)
    assert run_attack(blind, attack, BALL, clean, seed=0).accuracy == 1
    found = run_transfer(blind, target.classify, attack, BALL, clean, seed=0)
    assert found.accuracy < 1
    assert all(
        name.startswith("transfer of pgd-margin") for name, b in zip(found.found, found.broken, strict=True) if b
    )
