"""Norms that are easily got wrong, each with the wrong value that a plausible shortcut gives."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lipcert.analyses.lipschitz import gains
from lipcert.norms import UPPERS, Task, spectral_norm
from lipcert.operators import AdjointOperator, ConvolutionOperator, materialise
from lipcert.rules import LayerNorms
from tests.captured import graph_from, randomised
from tests.operator_examples import convolution, random


def truth(operator):
    return float(torch.linalg.svdvals(materialise(operator))[0])


def holds(operator):
    """The enclosure of the dispatcher, and every upper method, after checking them against the dense truth."""
    value, found = truth(operator), spectral_norm(operator)
    assert found.lower <= value * (1 + 1e-12)
    assert value <= found.upper
    for name, kind in UPPERS.items():
        if math.isfinite(kind().cost(operator)):
            assert value * (1 - 1e-14) <= kind().end(operator, Task(lower=found.lower)).value, name
    return value


def circular_grid(weight, size):
    """The largest singular value of the symbol on the grid of the input, as for circular padding."""
    kernel = torch.fft.fftn(weight, s=[size] * (weight.ndim - 2), dim=tuple(range(2, weight.ndim)))
    return float(torch.linalg.svdvals(kernel.flatten(2).permute(2, 0, 1)).max())


def norm_of(function, *shape):
    """The bound of the node that gives the output, and the true norm."""
    norms = LayerNorms(graph_from(function, *shape))
    jacobian = torch.func.jacrev(lambda x: norms.graph(x[None])[0])(torch.zeros(shape, dtype=torch.float64))
    return gains(norms, "l2")[norms.graph.output], float(torch.linalg.svdvals(jacobian.flatten(1))[0])


@pytest.mark.parametrize(
    ("kernel", "settings", "size", "wrong"),
    [
        (2, {"stride": 2, "padding": 1, "count_include_pad": False}, 4, 0.5),
        (3, {"stride": 3, "ceil_mode": True}, 7, 1 / 3),
        (3, {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, 6, 1 / 3),
        (3, {"stride": 1, "padding": 1, "count_include_pad": False}, 5, 1 / 3),
    ],
)
def test_average_pooling_at_its_edges_exceeds_one_over_the_root_of_its_window(kernel, settings, size, wrong):
    bound, value = norm_of(nn.AvgPool2d(kernel, **settings), 1, size, size)
    assert value > 1.2 * wrong
    assert value <= bound * (1 + 1e-13)
    assert bound <= value * (1 + 1e-9)


def test_circular_padding_with_more_outputs_than_inputs_repeats_them():
    """Kernel 1, padding 1, six inputs, eight outputs: two of them twice."""
    net = randomised(nn.Conv1d(1, 1, 1, padding=1, padding_mode="circular"))
    bound, value = norm_of(net, 1, 6)
    grid = circular_grid(net.weight.detach().double(), 6)
    assert value == pytest.approx(grid * math.sqrt(2))
    assert value <= bound * (1 + 1e-13)


def test_the_circular_grid_is_below_the_zero_padded_norm_for_some_5x5_kernel():
    below = 0
    for seed in range(60):
        operator = convolution(random(1, 1, 5, 5, seed=seed), 7, 7, padding=2)
        below += holds(operator) > circular_grid(operator.weight, 7) * (1 + 1e-3)
    assert below > 0


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 2, 2), (5, 2, 2), (3, 3, 3), (3, 2, 4), (4, 3, 3)])
def test_taps_share_a_phase_where_stride_and_dilation_share_a_divisor(kernel, stride, dilation):
    """ceil(k / s) patches an input is what a bound gets that forgets the divisor."""
    weight = random(2, 2, kernel, kernel, seed=3).abs()
    operator = convolution(weight, 12, 12, stride=stride, dilation=dilation)
    value = holds(operator)
    forgetful = math.ceil(kernel / stride) * float(torch.linalg.svdvals(weight.flatten(1))[0])
    if (kernel, stride, dilation) == (3, 3, 3):
        assert value > 1.5 * forgetful


def test_a_stationary_point_of_the_tensor_norm_is_no_bound():
    """sqrt(h w) times what alternating iteration finds falls below the norm of some kernel."""
    exceeded = 0
    for seed in range(24):
        operator = convolution(random(3, 3, 3, 3, seed=seed), 11, 11, padding=1)
        exceeded += truth(operator) > 3.0 * alternating(operator.weight, seed)
        if seed < 3:
            holds(operator)
    assert exceeded > 0


def alternating(kernel, seed, iterations=30):
    """A local maximum of <K, u o v o a o b> over unit vectors, from one random start."""
    vectors = [F.normalize(random(n, seed=seed + 7 * i), dim=0) for i, n in enumerate(kernel.shape)]
    letters = "oiab"
    for _ in range(iterations):
        for axis in range(4):
            others = [(letters[i], vectors[i]) for i in range(4) if i != axis]
            formula = f"oiab,{','.join(letter for letter, _ in others)}->{letters[axis]}"
            vectors[axis] = F.normalize(torch.einsum(formula, kernel, *(v for _, v in others)), dim=0)
    return float(torch.einsum("oiab,o,i,a,b->", kernel, *vectors).abs())


@pytest.mark.parametrize(("stride", "size"), [(1, 5), (2, 5), (3, 1), (2, 1)])
def test_a_1x1_kernel_has_the_norm_of_its_matrix(stride, size):
    operator = convolution(random(4, 3, 1, 1), size, size, stride=stride)
    assert holds(operator) == pytest.approx(float(torch.linalg.svdvals(operator.weight.flatten(1))[0]), rel=1e-12)


def test_a_padded_1x1_kernel_is_no_larger():
    operator = convolution(random(4, 3, 1, 1), 3, 3, stride=2, padding=1)
    assert holds(operator) <= float(torch.linalg.svdvals(operator.weight.flatten(1))[0]) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("kernel", "stride"), [(k, s) for k, s in itertools.product([(3, 2), (2, 3), (1, 4)], [(2, 2), (2, 1), (3, 2)])]
)
def test_kernels_that_are_not_square_may_stride(kernel, stride):
    geometry = {"stride": stride, "padding": [(1, 0), (0, 1)], "dilation": (1, 1)}
    operator = ConvolutionOperator(random(3, 2, *kernel), (7, 8), **geometry)
    assert holds(operator) == pytest.approx(holds(AdjointOperator(operator)), rel=1e-10)


def test_the_reshaped_kernel_has_another_norm():
    """What torch's spectral_norm divides by: below the operator's norm for every one of these."""
    for seed in range(30):
        operator = convolution(random(4, 3, 3, 3, seed=seed), 8, 8, padding=1)
        reshaped = float(torch.linalg.svdvals(operator.weight.flatten(1))[0])
        assert reshaped < 0.95 * (holds(operator) if seed < 5 else truth(operator))


def test_the_input_size_is_part_of_the_norm():
    kernel = torch.ones(1, 1, 3, 3)
    sizes = (1, 2, 5, 9, 20)
    found = [holds(convolution(kernel, size, size, padding=1)) for size in sizes]
    expected = [(1 + 2 * math.cos(math.pi / (size + 1))) ** 2 for size in sizes]
    assert found == pytest.approx(expected)
    assert found == sorted(found)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_weight_that_is_no_number_never_gets_a_norm(bad):
    weight = random(3, 2, 3, 3)
    weight[1, 0, 2, 1] = bad
    with pytest.raises(Exception, match=r"(?i)finite|nan|inf|upper end|lower end"):
        spectral_norm(convolution(weight, 6, 6, padding=1))
