"""Nets small enough to be worked out by hand, through the public interface."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import lipcert
from lipcert.records import AnalyzeSettings, Enclosure, JacobianRecord, LayerRecord, MarginRecord, ModelRecord, Skipped


class Toy(nn.Module):
    """W2 relu(W1 x + b1) + b2; at x = (1, 1) every unit is active and the Jacobian is [[2, 1], [1, 1]]."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2, 3), nn.Linear(3, 2)
        values = {
            "fc1.weight": [[1.0, 2.0], [-1.0, 1.0], [2.0, 0.0]],
            "fc1.bias": [0.0, 1.0, -1.0],
            "fc2.weight": [[1.0, -1.0, 0.0], [0.0, 1.0, 1.0]],
            "fc2.bias": [1.0, 0.0],
        }
        self.load_state_dict({key: torch.tensor(value) for key, value in values.items()})

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1(x)))


@pytest.fixture(scope="module")
def toy() -> ModelRecord:
    settings = AnalyzeSettings(eps={"l2": (0.1, 0.5), "linf": (0.1,)})
    return lipcert.analyze(Toy().eval(), torch.ones(1, 2), torch.tensor([0]), settings=settings).models[0]


def _layers(record: ModelRecord) -> dict[str, LayerRecord]:
    assert not isinstance(record.layers, Skipped)
    return {layer.name: layer for layer in record.layers}


def _upper(value: Enclosure | Skipped) -> float:
    assert isinstance(value, Enclosure)
    assert value.upper is not None
    return value.upper


def test_spectral_norms_of_the_toy(toy: ModelRecord) -> None:
    layers = _layers(toy)
    assert _upper(layers["fc1"].spectral_norm) == pytest.approx(2.572554, abs=1e-6)
    assert _upper(layers["fc2"].spectral_norm) == pytest.approx(math.sqrt(3), abs=1e-6)
    assert _upper(layers["fc1"].linf_norm) == pytest.approx(3, abs=1e-9)
    assert _upper(layers["fc1"].l1_norm) == pytest.approx(4, abs=1e-9)


def test_lipschitz_product_of_the_toy(toy: ModelRecord) -> None:
    assert not isinstance(toy.lipschitz, Skipped)
    layered, product = (record.value for record in toy.lipschitz if (record.norm, record.scope) == ("l2", "global"))
    assert isinstance(layered, Enclosure)
    assert isinstance(product, Enclosure)
    assert _upper(product) == pytest.approx(4.455794, abs=1e-6)
    assert 2.618033 <= layered.lower <= _upper(layered) < 3


def test_jacobian_norms_of_the_toy(toy: ModelRecord) -> None:
    assert isinstance(toy.jacobian, JacobianRecord)
    found = {name: distribution.mean for name, distribution in toy.jacobian.statistics.items()}
    assert found["spectral_norm"] == pytest.approx(2.618034, abs=1e-6)
    assert found["frobenius_norm"] == pytest.approx(math.sqrt(7), abs=1e-6)
    assert found["linf_norm"] == pytest.approx(3, abs=1e-6)
    assert found["linf_l1_norm"] == pytest.approx(5, abs=1e-6)
    assert found["l1_entries"] == pytest.approx(5, abs=1e-6)
    assert toy.jacobian.singular_spectrum == pytest.approx((2.618034, 0.381966), abs=1e-6)


def test_margin_and_loss_of_the_toy(toy: ModelRecord) -> None:
    assert isinstance(toy.margins, MarginRecord)
    assert toy.margins.distribution.mean == pytest.approx(1, abs=1e-6)
    assert toy.margins.clean_loss == pytest.approx(0.313262, abs=1e-6)
    assert toy.margins.clean_accuracy == 1


def test_robust_loss_of_the_toy_in_its_cell(toy: ModelRecord) -> None:
    """The cell around (1, 1) has l2 radius 0.5, so the worst loss at 0.5 has a closed form: 0.474077."""
    assert not isinstance(toy.robustness, Skipped)
    record = next(r for r in toy.robustness if r.norm == "l2" and r.eps == 0.5)
    assert record.robust_loss == pytest.approx(0.474077, abs=1e-6)
    assert record.robust_accuracy == 1


class Linear(nn.Module):
    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.fc = nn.Linear(size, classes)
        generator = torch.Generator().manual_seed(5)
        self.fc.weight.data = torch.randn(classes, size, generator=generator)
        self.fc.bias.data = torch.randn(classes, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_a_linear_net_is_bracketed_exactly(norm: str, classes: int) -> None:
    """Its minimal adversarial radius is min_j (z_y - z_j) / ||w_y - w_j||_dual: certificate and attack must meet it."""
    net = Linear(classes, 6).eval()
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(1))
    z = net(x).detach().double()
    y = z.argmax(1)
    w = net.fc.weight.detach().double()
    difference = torch.linalg.vector_norm(w[y][:, None] - w[None], ord=2 if norm == "l2" else 1, dim=2)
    gap = z.gather(1, y[:, None]) - z
    radius = torch.where(difference > 0, gap / difference, torch.inf).amin(1)
    eps = float(radius.median()) * 1.01
    settings = AnalyzeSettings(eps={norm: (eps,)})
    record = lipcert.analyze(net, x, y, settings=settings).models[0]
    bracket = next(b for b in record.brackets if b.eps == eps)
    truth = float((radius > eps).double().mean())
    assert bracket.certified_accuracy <= truth <= bracket.robust_accuracy
    assert bracket.robust_accuracy == pytest.approx(truth, abs=1e-9)
    if norm == "l2":
        assert bracket.certified_accuracy == pytest.approx(truth, abs=1e-9)


def test_binary_logistic_loss_has_a_closed_form() -> None:
    net = Linear(2, 4).eval()
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(2))
    y = torch.randint(0, 2, (30,), generator=torch.Generator().manual_seed(3))
    z, w = net(x).detach().double(), net.fc.weight.detach().double()
    margin = (z[:, 0] - z[:, 1]) * (1 - 2 * y)
    for norm, dual in (("l2", 2), ("linf", 1)):
        slope = float(torch.linalg.vector_norm(w[0] - w[1], ord=dual))
        expected = float(torch.log1p(torch.exp(-margin + 0.3 * slope)).mean())
        settings = AnalyzeSettings(eps={norm: (0.3,)})
        record = lipcert.analyze(net, x, y, settings=settings).models[0]
        assert not isinstance(record.robustness, Skipped)
        found = next(r for r in record.robustness if r.eps == 0.3)
        assert found.robust_loss == pytest.approx(expected, rel=1e-6)
