"""Real ONNX files against onnxruntime, in the reading that does the file's own arithmetic."""

import pytest
import torch

from lipcert.errors import RefusedModelError
from lipcert.load.onnx_model import read_onnx

MODELS = (
    "aarnphm_mnist aclex_mnist_cnn ainit_mnist anshaj_cifar10_model cntk_mnist edgeopt_mobilenetv2_int8 "
    "fml_conv2d_small_mp_keras mab700_mnist_cnn marabou_cifar10_small marabou_cnn_max_mninst2 maurobennici_iris "
    "maurobennici_sequential mnist-net_256x2 nieeeb_model onnx2c_pytorch_mnist oval21_cifar_base_kw paddle_ppocr_cls "
    "pcelis_mnist_cnn_pool resnet_2b verivital_Convnet_avgpool verivital_Convnet_maxpool vnn2020_logsig_200_100_50 "
    "wonnx_opt_mnist wuhan_mnist-lg yliess_mnist zkml_lenet_4_8_32"
).split()

EDGE_REFUSED = {
    "akinobu_tf2onnx_mnist": "depends on 2 inputs",
    "fml_separable_ch_last": "custom domain",
    "fml_three_layer_bn_keras": "BatchNormalization",
    "guyroyse_iris": "has 2 outputs",
    "nieeeb_model_quant": "custom domain 'mct_quantizers'",
    "rt216_asl": "MaxPool",
}
EDGE_READ = {
    "fml_three_layer_bn_pytorch": "onnx.reference",
    "khushiyant_mnist": "onnxruntime",
    "makora_mnist_cnn": "version_converter",
}


def probe(source, batch, seed):
    shape = source.input_shape or (3, 48, 192)
    return torch.rand(batch, *shape, generator=torch.Generator().manual_seed(seed))


def deviation(source, batch, seed=0):
    x = probe(source, batch, seed)
    with torch.no_grad():
        ours, theirs = source.function(x), source.oracle(x)
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / (theirs.max() - theirs.min()))


def test_every_file_is_listed(material):
    assert {path.stem for path in material.glob("models/*.onnx")} == set(MODELS)
    assert {path.stem for path in material.glob("edge/*.onnx")} == {*EDGE_REFUSED, *EDGE_READ}


@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_onnxruntime_on_one_sample_and_on_five(material, name):
    source = read_onnx(material / "models" / f"{name}.onnx", quantised="integer")
    assert deviation(source, 1) <= 1e-5
    assert deviation(source, 5) <= 1e-5


@pytest.mark.parametrize("name", [name for name in MODELS if name != "edgeopt_mobilenetv2_int8"])
def test_samples_do_not_see_each_other(material, name):
    source = read_onnx(material / "models" / f"{name}.onnx")
    x = probe(source, 4, 1)
    with torch.no_grad():
        together = source.function(x)
        alone = torch.cat([source.function(sample) for sample in torch.split(x, 1)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_float_reading_of_an_int8_net_stays_close_and_says_so(material):
    source = read_onnx(material / "models" / "edgeopt_mobilenetv2_int8.onnx")
    assert source.quantised
    assert any("read as float" in note for note in source.notes)
    assert deviation(source, 2) <= 0.05
    x = probe(source, 1, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(source.function(x).sum(), x)
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("name", EDGE_REFUSED)
def test_edge_file_is_clearly_refused(material, name):
    with pytest.raises(RefusedModelError, match=EDGE_REFUSED[name]):
        read_onnx(material / "edge" / f"{name}.onnx")


@pytest.mark.parametrize("name", EDGE_READ)
def test_edge_file_is_read_and_verified(material, name):
    source = read_onnx(material / "edge" / f"{name}.onnx")
    assert EDGE_READ[name] in source.oracle.name
    assert deviation(source, 1) <= 1e-5
    assert deviation(source, 5) <= 1e-5


def test_logits_before_a_softmax_can_be_asked_of_the_runtime(material):
    source = read_onnx(material / "models" / "aarnphm_mnist.onnx")
    logits = source.oracle.at(source.oracle.logits_name)
    x = probe(source, 3, 3)
    torch.testing.assert_close(torch.softmax(logits(x), 1), source.oracle(x), rtol=1e-5, atol=1e-6)
