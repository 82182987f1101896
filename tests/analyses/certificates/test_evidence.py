"""Long evidence: points inside certified balls of many nets, and certificates for real files."""

import csv
from itertools import product

import pytest
import torch

from lipcert.analyses.certificates import prepare
from lipcert.attacks import Ball, Pgd, Target, run_attack, score_clean
from lipcert.deadline import Deadline
from lipcert.errors import RefusedModelError, UnsupportedOperatorError
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.subject import open_file
from lipcert.records import AnalyzeSettings, Skipped
from lipcert.samples import Samples
from tests import graphs

EPS = {"linf": (0.01, 0.05), "l2": (0.05, 0.2), "l1": (0.1, 0.4)}
SHAPES = ((3, 8, 2), (6, 20, 5), (20, 40, 10), (40, 30, 3), (10, 60, 4), (8, 16, 8), (16, 16, 6))
NETS = list(product(SHAPES, range(3)))
TINY = 1e-7  # for networks too deep for anything wider
SAMPLES, POINTS, RANGE = 12, 400, (-1.0, 1.0)

# What TorchScript files do not tell.
INPUTS = {
    "bsusheel_model_scripted.pt": (1, 28, 28),
    "vrr21_iris.pt": (4,),
    "subham_gtsrb_cpu.pt": (3, 32, 32),
    "mahdi_cifar10_lenet.ts.pt": (3, 32, 32),
    "autolirpa_mnist_a_adv.ts.pt": (1, 28, 28),
    "pytorch_vit4mnist.ptl": (1, 28, 28),
    "paddle_ppocr_cls.onnx": (3, 48, 192),
}


def _points(ball, clean, generator):
    """Corners, points of the sphere and of the inside, as float32 that the ball holds."""
    noise = torch.randn(clean.shape, generator=generator)
    kind = int(torch.randint(3, (1,), generator=generator))
    direction = ball.steepest(noise.sign() if kind == 0 else noise)
    reach = torch.rand(len(clean), 1, generator=generator) if kind == 2 else torch.ones(len(clean), 1)
    return ball.project(clean + ball.eps * reach * direction, clean)


def _certify(graph, inputs, labels, eps=EPS):
    data = Samples(inputs=inputs, labels=labels, input_range=RANGE)
    certifier = prepare(graph, data, [], eps, AnalyzeSettings())
    assert not isinstance(certifier, Skipped)
    target = Target(classify=graph, scorer=graph, clean=inputs, labels=labels)
    certifier.start(Deadline())
    certifier.finish(target, Deadline())
    return certifier, target


def _violations(certifier, target, generator, points):
    """(points tried inside certified balls, points among them that are misclassified)."""
    tried = wrong = 0
    for standing in certifier.standings:
        rows = standing.certified.nonzero()[:, 0]
        if not len(rows):
            continue
        ball = Ball(norm=standing.norm, eps=standing.eps, input_range=RANGE)
        clean, labels = target.clean[rows], target.labels[rows]
        for _ in range(points):
            wrong += int((target.classify(_points(ball, clean, generator)).argmax(dim=1) != labels).sum())
            tried += len(rows)
        few = Target(classify=target.classify, scorer=target.scorer, clean=clean, labels=labels)
        wrong += int(run_attack(few, Pgd(loss="margin", restarts=3), ball, score_clean(few), seed=2).broken.sum())
    return tried, wrong


@pytest.mark.slow
def test_a_hundred_thousand_points_in_certified_balls_of_twenty_nets_keep_their_label():
    generator, tried = torch.Generator().manual_seed(0), 0
    for (features, width, classes), seed in NETS:
        graph = graphs.mlp(features, width, classes, seed=seed)
        inputs = (0.5 * graphs.random(SAMPLES, features, seed=seed)).clamp(-1, 1)
        certifier, target = _certify(graph, inputs, graph(inputs).argmax(dim=1))
        count, wrong = _violations(certifier, target, generator, POINTS)
        assert wrong == 0, (features, width, classes, seed)
        tried += count
    assert tried >= 100_000


def test_points_in_certified_balls_of_a_few_nets_keep_their_label():
    generator, tried = torch.Generator().manual_seed(1), 0
    for features, width, classes in SHAPES[:3]:
        graph = graphs.mlp(features, width, classes, seed=9)
        inputs = (0.5 * graphs.random(6, features, seed=9)).clamp(-1, 1)
        certifier, target = _certify(graph, inputs, graph(inputs).argmax(dim=1), {"linf": (0.02,), "l2": (0.1,)})
        count, wrong = _violations(certifier, target, generator, 20)
        assert wrong == 0
        tried += count
    assert tried > 300


def _settled(path, eps=1e-4, samples=2):
    """Of a material model at random inputs labelled by itself: how many it certifies, or why none can be."""
    try:
        subject = open_file(AnalyzeRequest(model=path, input_shape=INPUTS.get(path.name)))
    except (UnsupportedOperatorError, RefusedModelError) as error:  # refused by design; any other failure is one
        return error.message
    graph = subject.graph
    inputs = graphs.uniform(samples, *graph.input_shape, seed=1)
    labels = graph(inputs).argmax(dim=1)
    data = Samples(inputs=inputs, labels=labels, input_range=(0.0, 1.0))
    certifier = prepare(graph, data, [], {"linf": (eps,)}, AnalyzeSettings())
    if isinstance(certifier, Skipped):
        return certifier.reason
    certifier.start(Deadline())
    certifier.finish(Target(classify=graph, scorer=graph, clean=inputs, labels=labels), Deadline())
    return int(certifier.standings[0].certified.sum())


def _models(material):
    with (material / "INDEX.csv").open(newline="") as table:
        rows = [row for row in csv.reader(table) if row and row[0].startswith("models/")]
    return [material / row[0] for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_real_model_certifies_something_or_says_why_not(material):
    found = {path.name: _settled(path) or _settled(path, eps=TINY) for path in _models(material)}
    assert len(found) == 32
    silent = [name for name, result in found.items() if not result]
    assert silent == [], found


@pytest.mark.parametrize("name", ["aarnphm_mnist.onnx", "vrr21_iris.pt"])
def test_small_real_models_certify_something(material, name):
    assert _settled(material / "models" / name) == 2
