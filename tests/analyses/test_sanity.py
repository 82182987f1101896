"""Data spoiled on purpose: the diagnosis names the spoiling, and is silent where nothing is wrong."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from lipcert.analyses.sanity import diagnose
from lipcert.load.preprocess import Preprocess
from lipcert.load.samples import load_samples
from lipcert.samples import Samples, per_channel


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _diagnose(net, samples, preprocess=None, classes=10):
    records = diagnose(net, samples, (preprocess or Preprocess()).record(samples), classes=classes)
    return {record.id: record for record in records}


@pytest.fixture(scope="module")
def mnist(sample_models):
    return torch.jit.load(sample_models / "mnist_conv.pt"), load_samples(sample_models / "mnist_test.npz")


@pytest.mark.parametrize("name", ["digits_mlp", "digits_conv", "digits_residual", "mnist_conv"])
def test_nothing_is_said_where_nothing_is_wrong(name, sample_models):
    scale = 255 if name == "mnist_conv" else 16
    samples = load_samples(sample_models / f"{name.partition('_')[0]}_test.npz", scale=scale)
    assert _diagnose(torch.jit.load(sample_models / f"{name}.pt"), samples) == {}


def test_a_wrong_scale_is_named(sample_models):
    net = torch.jit.load(sample_models / "digits_conv.pt")
    found = _diagnose(net, load_samples(sample_models / "digits_test.npz"))["data.preprocessing"]
    assert found.hint.startswith("if the model was trained so: use --scale 16")
    assert "97." in found.message


def test_missing_options_are_named(mnist):
    net, samples = mnist
    found = _diagnose(lambda x: net(x * 0.5 + 0.5), samples)["data.preprocessing"]
    assert "use --mean 0.5 --std 0.5" in found.hint
    assert "of 256 samples" in found.message


def test_needless_options_are_named(mnist):
    net, samples = mnist
    found = _diagnose(net, samples, Preprocess(mean=(0.5,), std=(255.0,)))
    assert "use --mean 0 --std 1" in found["data.preprocessing"].hint
    assert found["data.chance"].level == "error"


SPOILED = {
    "inverted images": lambda x: 1 - x,
    "transposed images": lambda x: x.transpose(2, 3),
}


@pytest.mark.parametrize("name", SPOILED)
@pytest.mark.parametrize("preprocess", [None, Preprocess(mean=(0.5,), std=(0.5,))])
def test_rearranged_images_are_named(name, preprocess, mnist):
    net, samples = mnist
    spoiled = replace(samples, inputs=SPOILED[name](samples.inputs))
    wanted = net if preprocess is None else lambda x: net(x * 0.5 + 0.5)
    found = _diagnose(wanted, spoiled, preprocess)["data.preprocessing"]
    assert f"with {name}" in found.message
    assert "98." in found.message or "97." in found.message or "99." in found.message


def test_two_faults_together_are_named_when_the_model_is_at_chance(mnist):
    net, samples = mnist
    spoiled = replace(samples, inputs=samples.inputs.transpose(2, 3))
    found = _diagnose(lambda x: net(x / 255), spoiled)
    assert "data.chance" in found
    assert "transposed images with values 0 to 255" in found["data.preprocessing"].message
    assert "use --std 1/255; swap height and width" in found["data.preprocessing"].hint


@pytest.mark.parametrize("sort", [False, True])
def test_permuted_labels_are_named(sort, mnist):
    net, samples = mnist
    order = torch.argsort(samples.labels, stable=True) if sort else torch.arange(len(samples))
    samples = replace(samples, inputs=samples.inputs[order], labels=samples.labels[order])
    shifted = replace(samples, labels=(samples.labels + 1) % 10)
    assert "class = (label - 1) mod 10" in _diagnose(net, shifted)["data.labels"].hint
    swap = torch.tensor([0, 1, 7, 3, 4, 5, 6, 2, 8, 9])
    assert (
        "model's order: 2 -> 7, 7 -> 2"
        in _diagnose(net, replace(samples, labels=swap[samples.labels]))["data.labels"].hint
    )


def _colour(count=300):
    """Templates in noise, and the classifier that correlates with them after CIFAR-10's normalisation."""
    templates = torch.rand(6, 3, 8, 8, generator=_generator(1))
    labels = torch.randint(6, (count,), generator=_generator(2))
    noise = torch.rand(count, 3, 8, 8, generator=_generator(3))
    images = (0.5 * templates[labels] + 0.5 * noise).mul(255).round().div(255)
    directions = templates - templates.mean(0)

    def net(x):
        return x.reshape(len(x), 3, 8, 8).sub(0.5).flatten(1) @ directions.flatten(1).T

    return net, Samples(inputs=images, labels=labels, scale=255.0, input_range=(0.0, 1.0))


@pytest.mark.parametrize(
    ("spoil", "name", "advice"),
    [
        (lambda x: x.flip(1), "channels as BGR", "reverse the channel axis"),
        (lambda x: x.permute(0, 2, 3, 1).flatten(1), "pixels flattened channel first", "--layout nchw"),
        (
            lambda x: x.flatten(1).reshape(-1, 8, 8, 3).permute(0, 3, 1, 2).flatten(1),
            "pixels flattened channel last",
            "--layout nhwc",
        ),
    ],
)
def test_reordered_colour_images_are_named(spoil, name, advice):
    net, samples = _colour()
    assert _diagnose(net, samples, classes=6) == {}
    found = _diagnose(net, replace(samples, inputs=spoil(samples.inputs).contiguous()), classes=6)["data.preprocessing"]
    assert name in found.message
    assert advice in found.hint


@pytest.mark.parametrize("flat", [False, True])
def test_statistics_of_each_channel_are_named(flat, mnist):
    net, samples = mnist
    mean = per_channel((0.4914, 0.4822, 0.4465), (3, 28, 28))
    std = per_channel((0.247, 0.2435, 0.2616), (3, 28, 28))
    inputs = samples.inputs.repeat(1, 3, 1, 1)
    colour = replace(samples, inputs=inputs.flatten(1) if flat else inputs)

    def thresholded(x):
        return net(((x.reshape(-1, 3, 28, 28) * std + mean) > 0.75).float().mean(1, keepdim=True))

    hint = _diagnose(thresholded, colour)["data.preprocessing"].hint
    options = "--mean 0.4914,0.4822,0.4465 --std 0.247,0.2435,0.2616"
    assert (f"{options} --layout nchw" if flat else options) in hint
    assert ("--layout" in hint) == flat


def test_standardised_columns_are_named():
    features = torch.randn(120, 4, generator=_generator(4)) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + torch.tensor(
        [50.0, 3, 1, 9]
    )
    weight = torch.randn(4, 3, generator=_generator(5))
    net = torch.nn.functional.linear
    labels = (((features - features.mean(0)) / features.std(0)) @ weight).argmax(1)
    samples = Samples(inputs=features, labels=labels)
    found = _diagnose(lambda x: net(x, weight.T), samples, classes=3)["data.preprocessing"]
    assert "each column's own mean and standard deviation" in found.message
    assert f"--mean {features[:, 0].mean():.4g}," in found.hint


def test_chance_is_called_chance(mnist):
    net, samples = mnist
    shuffled = samples.labels[torch.randperm(len(samples), generator=_generator(6))]
    found = _diagnose(net, replace(samples, labels=shuffled))
    assert set(found) == {"data.chance"}
    assert "within chance" in found["data.chance"].message


def test_always_the_commonest_class_is_chance_however_often_it_is_right():
    inputs = torch.rand(200, 5, generator=_generator(7))
    labels = (torch.arange(200) % 20 == 0).long()
    samples = Samples(inputs=inputs, labels=labels)
    found = _diagnose(lambda x: torch.tensor([[1.0, 0.0]]).expand(len(x), 2), samples, classes=2)
    assert set(found) == {"data.chance"}
    assert found["data.chance"].message.startswith("95.0 % of 200")


def test_logits_that_are_not_finite_count_as_wrong(mnist):
    _, samples = mnist
    found = _diagnose(lambda x: torch.full((len(x), 10), float("nan")), samples)
    assert set(found) == {"data.chance"}
    assert found["data.chance"].message.startswith("0.0 %")


@pytest.mark.parametrize("count", [1, 2, 7])
def test_few_samples_give_no_false_advice(count, mnist):
    net, samples = mnist
    found = _diagnose(net, samples.first(count))
    assert "data.preprocessing" not in found
    assert all(item.level == "note" for item in found.values())
    assert _diagnose(net, replace(samples.first(count), labels=None)) == {}


def test_a_perfect_score_on_too_few_samples_is_not_called_chance(mnist):
    net, samples = mnist
    found = _diagnose(net, samples.first(1))["data.chance"]
    assert found.level == "note"
    assert "1 sample is too few" in found.message


REAL = [
    ("aclex_mnist_cnn", "mnist_test", "--mean 0.1307 --std 0.3081"),
    ("zkml_lenet_4_8_32", "mnist_test", "--mean 0.1307 --std 0.3081"),
    ("ainit_mnist", "mnist_test", "--mean 0.5 --std 0.5"),
    ("vnn2020_logsig_200_100_50", "mnist_test", "--std 1/255"),
    ("nieeeb_model", "cifar10_lossless", "--mean 0.5 --std 0.5"),
    ("oval21_cifar_base_kw", "cifar10_lossless", "--mean 0.485,0.456,0.406"),
    ("resnet_2b", "cifar10_lossless", "--mean 0.4914,0.4822,0.4465 --std 0.247,0.2435,0.2616"),
    ("mab700_mnist_cnn", "mnist_test", None),
    ("marabou_cnn_max_mninst2", "mnist_test", None),
    ("pcelis_mnist_cnn_pool", "mnist_test", None),
    ("mnist-net_256x2", "mnist_test", None),
    ("wuhan_mnist-lg", "mnist_test", None),
]


@pytest.mark.parametrize(("name", "data", "options"), REAL)
def test_real_models_get_the_options_their_makers_state(name, data, options, material):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(material / "models" / f"{name}.onnx", settings)
    entry = session.get_inputs()[0]
    shape = tuple(length if isinstance(length, int) else None for length in entry.shape)

    def net(x):
        step = shape[0] or len(x)
        rows = [session.run(None, {entry.name: x[i : i + step].numpy()})[0] for i in range(0, len(x), step)]
        return torch.from_numpy(np.concatenate([row.reshape(-1, 10) for row in rows]))

    found = _diagnose(net, load_samples(material / "data" / f"{data}.npz", input_shape=shape[1:]))
    if options is None:
        assert found == {}
    else:
        assert f"use {options}" in found["data.preprocessing"].hint
