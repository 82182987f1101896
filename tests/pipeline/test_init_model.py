"""The network before training, given by file: where it goes, and when it is refused."""

import pytest
import torch
from torch import nn

import lipcert
from lipcert.analyses.generalization.posterior import posterior_record
from lipcert.errors import UsageError
from lipcert.pipeline import AnalyzeRequest
from lipcert.pipeline.subject import open_file
from lipcert.records import AnalyzeSettings
from sample_models.recipes.first_nets import DigitsConv, DigitsMlp
from sample_models.recipes.initialisation import initialise


def _saved(net: nn.Module, path):
    initialise(net, torch.Generator().manual_seed(0))
    torch.jit.save(torch.jit.script(net.eval()), path)
    return path


def _request(sample_models, initial, **said):
    return AnalyzeRequest(
        model=sample_models / "digits_mlp.pt",
        data=str(sample_models / "digits_test.npz"),
        train_data=str(sample_models / "digits_train.npz"),
        init_model=initial,
        settings=AnalyzeSettings(analyses=("generalization",), samples=20),
        **said,
    )


def test_initial_network_stands_behind_the_same_preprocessing(sample_models, tmp_path):
    net = DigitsMlp()
    subject = open_file(_request(sample_models, _saved(net, tmp_path / "start.pt"), mean=(0.5,), std=(0.25,)))
    inputs = subject.samples.inputs[:5]
    assert torch.allclose(subject.initial(inputs), net((inputs - 0.5) / 0.25), atol=1e-5)
    assert open_file(_request(sample_models, None)).initial is None


def test_own_weights_are_a_cheaper_centre_than_zero(sample_models):
    costs = []
    for initial in (sample_models / "digits_mlp.pt", None):
        subject = open_file(_request(sample_models, initial))
        found = posterior_record(subject.graph, subject.training, initial=subject.initial)
        costs.append(found.terms["divergence"])
    assert costs[0] < costs[1]


def test_another_architecture_is_a_usage_error(sample_models, tmp_path):
    with pytest.raises(UsageError, match="--init-model must have the model's architecture"):
        open_file(_request(sample_models, _saved(DigitsConv(), tmp_path / "start.pt")))


def test_modules_in_memory_and_words_about_the_samples(sample_models):
    net, start = DigitsMlp().eval(), DigitsMlp().eval()
    initialise(net, torch.Generator().manual_seed(1))
    initialise(start, torch.Generator().manual_seed(0))
    inputs = torch.rand(30, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    labels = torch.arange(30) % 10
    given = {"settings": AnalyzeSettings(analyses=("generalization",)), "train_data": (inputs, labels), "split": "test"}
    model = lipcert.analyze(net, inputs, labels, init_model=start, **given).models[0]
    assert model.data.split == "test"
    assert {"fro_dist", "dist_spec_init"} <= {one.measure for one in model.measures}
    with pytest.raises(UsageError, match="--init-model must have the model's architecture"):
        lipcert.analyze(net, inputs, labels, init_model=DigitsConv().eval(), **given)
    with pytest.raises(UsageError, match="split must be test, train, unknown, got 'fresh'"):
        lipcert.analyze(net, inputs, labels, split="fresh")
