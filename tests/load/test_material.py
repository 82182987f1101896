"""Real classifiers by many exporters, read with their own preprocessing, predict what their runtime predicts."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lipcert.errors import ModelError
from lipcert.load.check import check
from lipcert.load.fit import fit
from lipcert.load.model import LoadedModel, load_model
from lipcert.load.preprocess import Preprocess, insert_preprocess
from lipcert.load.samples import load_samples
from lipcert.samples import Samples

IMAGENET = (0.485, 0.456, 0.406)
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


@dataclass(frozen=True)
class Case:
    """How one file of the collection is to be read; `data` None for those without a published accuracy."""

    data: str | None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: str | None = None
    shape: tuple[int, ...] | None = None


MNIST, CIFAR, IRIS = "mnist_test.npz", "cifar10_lossless.npz", "iris"
BYTES = (1 / 255,)
CASES = {
    "aarnphm_mnist.onnx": Case(MNIST, (0.1307,), (0.3081,)),
    "aclex_mnist_cnn.onnx": Case(MNIST, (0.1307,), (0.3081,)),
    "ainit_mnist.onnx": Case(MNIST, (0.5,), (0.5,)),
    "anshaj_cifar10_model.onnx": Case(CIFAR, layout="nhwc"),
    "autolirpa_mnist_a_adv.ts.pt": Case(MNIST, shape=(1, 28, 28)),
    "bsusheel_model_scripted.pt": Case(MNIST, shape=(1, 28, 28)),
    "cntk_mnist.onnx": Case(MNIST, std=BYTES),
    "edgeopt_mobilenetv2_int8.onnx": Case(None),
    "fml_conv2d_small_mp_keras.onnx": Case(None),
    "mab700_mnist_cnn.onnx": Case(MNIST),
    "mahdi_cifar10_lenet.ts.pt": Case(CIFAR, (0.5,), (0.5,), shape=(3, 32, 32)),
    "marabou_cifar10_small.onnx": Case(CIFAR, layout="nhwc"),
    "marabou_cnn_max_mninst2.onnx": Case(MNIST),
    "maurobennici_iris.onnx": Case(IRIS),
    "maurobennici_sequential.onnx": Case(IRIS),
    "mnist-net_256x2.onnx": Case(MNIST),
    "nieeeb_model.onnx": Case(CIFAR, (0.5,), (0.5,)),
    "onnx2c_pytorch_mnist.onnx": Case(MNIST),
    "oval21_cifar_base_kw.onnx": Case(CIFAR, IMAGENET, (0.225,)),
    "paddle_ppocr_cls.onnx": Case(None, shape=(3, 48, 192)),
    "pcelis_mnist_cnn_pool.onnx": Case(MNIST),
    "resnet_2b.onnx": Case(CIFAR, CIFAR_MEAN, CIFAR_STD),
    "subham_gtsrb_cpu.pt": Case(None, shape=(3, 32, 32)),
    "verivital_Convnet_avgpool.onnx": Case(MNIST),
    "verivital_Convnet_maxpool.onnx": Case(MNIST),
    "vnn2020_logsig_200_100_50.onnx": Case(MNIST, std=BYTES),
    "vrr21_iris.pt": Case(IRIS, shape=(4,)),
    "wonnx_opt_mnist.onnx": Case(MNIST, std=BYTES),
    "wuhan_mnist-lg.onnx": Case(MNIST),
    "yliess_mnist.onnx": Case(MNIST),
    "zkml_lenet_4_8_32.onnx": Case(MNIST, (0.1307,), (0.3081,)),
}
REFUSED = {"pytorch_vit4mnist.ptl": "quantised"}
SLOW = {"edgeopt_mobilenetv2_int8.onnx", "paddle_ppocr_cls.onnx"}
EDGE = {
    "akinobu_tf2onnx_mnist.onnx": "2 inputs",
    "fml_separable_ch_last.onnx": "custom domain",
    "fml_three_layer_bn_keras.onnx": "BatchNormalization",
    "guyroyse_iris.onnx": "2 outputs",
    "keithyin_traced_model.pt": "recurrent",
    "naik_my_mnist_model.pt": "was not opened",
    "nieeeb_model_quant.onnx": "custom domain",
    "pytorch_mobilenet_quantized.pt": "quantised",
    "rizki_student.ptl": "mobile",
    "rt216_asl.onnx": "MaxPool",
    "yliess_mnist.pt": "was not opened",
}
EDGE_LOADS = {
    "fml_three_layer_bn_pytorch.onnx": None,
    "khushiyant_mnist.onnx": None,
    "makora_mnist_cnn.onnx": None,
    "rohit_traced.pt": (10,),
}


def _samples(material: Path, case: Case, model: LoadedModel) -> Samples:
    layout = case.layout if case.layout in ("nchw", "nhwc") else None
    if case.data == IRIS:
        from sklearn.datasets import load_iris

        flowers = load_iris()
        inputs = torch.tensor(flowers.data, dtype=torch.float32)
        return fit(Samples(inputs=inputs, labels=torch.tensor(flowers.target)), model.graph.input_shape)
    return load_samples(material / "data" / str(case.data), input_shape=model.graph.input_shape, layout=layout)


def _predictions(function: object, inputs: Tensor, classes: int) -> Tensor:
    with torch.no_grad():
        parts = [function(part).reshape(len(part), -1) for part in inputs.split(500)]  # type: ignore[operator]
    assert parts[0].shape[1] == classes
    return torch.cat(parts).argmax(1)


def _accuracies(material: Path, name: str, count: int | None) -> tuple[float, float, int]:
    """Accuracy of the graph with its preprocessing node, and of the original runtime fed by hand."""
    case = CASES[name]
    model = load_model(material / "models" / name, input_shape=case.shape)
    samples = _samples(material, case, model)
    samples = samples if count is None else samples.first(count)
    preprocess = Preprocess(mean=case.mean, std=case.std, layout=case.layout)  # type: ignore[arg-type]
    graph = insert_preprocess(model.graph, preprocess)
    axes = [-1] if case.layout == "nhwc" else [0] if len(case.mean) > 1 else []
    shape = [len(case.mean) if i in axes or i - len(model.graph.input_shape) in axes else 1 for i in range(3)]
    mean, std = (torch.tensor(v).reshape(shape) if len(v) > 1 else v[0] for v in (case.mean, case.std))
    assert model.source.oracle is not None
    assert samples.labels is not None
    ours = _predictions(graph, samples.inputs, graph.classes)
    theirs = _predictions(model.source.oracle, (samples.inputs - mean) / std, graph.classes)
    return float((ours == samples.labels).sum()), float((theirs == samples.labels).sum()), len(samples)


LABELLED = sorted(name for name, case in CASES.items() if case.data)


@pytest.mark.parametrize("name", LABELLED)
def test_predictions_are_those_of_the_runtime(material: Path, name: str) -> None:
    ours, theirs, _ = _accuracies(material, name, 200)
    assert abs(ours - theirs) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", LABELLED)
def test_accuracy_is_the_published_one(material: Path, name: str) -> None:
    with (material / "INDEX.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["file"].endswith(f"/{name}"))
    accuracy, count = row["accuracy"].split(" (n=")
    total = int(count.split(")")[0])
    ours, theirs, used = _accuracies(material, name, total)
    assert used == total
    assert abs(ours - theirs) <= 1
    assert abs(ours / total - float(accuracy)) <= 1.5 / total + 5e-5


@pytest.mark.parametrize("name", sorted(set(CASES) - set(LABELLED) - SLOW))
def test_a_model_without_labels_is_faithful(material: Path, name: str) -> None:
    model = load_model(material / "models" / name, input_shape=CASES[name].shape)
    assert check(model.graph, model.source).max_rel_diff <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_a_large_model_without_labels_is_faithful(material: Path, name: str) -> None:
    model = load_model(material / "models" / name, input_shape=CASES[name].shape)
    record = check(model.graph, model.source)
    assert record.status in ("faithful", "quantised")
    assert record.agreement == 1


@pytest.mark.parametrize("name", sorted(REFUSED | EDGE))
def test_what_cannot_be_read_is_refused_by_name(material: Path, name: str) -> None:
    folder = "edge" if name in EDGE else "models"
    with pytest.raises(ModelError, match=(REFUSED | EDGE)[name]) as refused:
        load_model(material / folder / name, input_shape=(3, 8, 8) if name.endswith("pt") else None)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("name", sorted(EDGE_LOADS))
def test_an_awkward_file_is_read_faithfully(material: Path, name: str) -> None:
    model = load_model(material / "edge" / name, input_shape=EDGE_LOADS[name])
    assert check(model.graph, model.source).status == "faithful"


def test_every_file_of_the_collection_is_accounted_for(material: Path) -> None:
    assert {path.name for path in (material / "models").iterdir()} == set(CASES) | set(REFUSED)
    assert {path.name for path in (material / "edge").iterdir()} == set(EDGE) | set(EDGE_LOADS)
