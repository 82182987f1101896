"""What bounds on unseen inputs are told of the inputs."""

from dataclasses import replace

import pytest
import torch

from lipcert.pipeline.training_facts import held_range
from lipcert.samples import Samples

INSIDE = Samples(inputs=torch.tensor([[0.0, 0.05], [0.1, 0.1]]), labels=None, input_range=(0.0, 0.1))


def test_the_range_holds_the_inputs_as_they_are_stored() -> None:
    """The float32 next to 0.1 is above 0.1."""
    found = held_range(INSIDE, None)
    assert found is not None
    assert float(INSIDE.inputs.max()) > 0.1
    assert found[0] <= float(INSIDE.inputs.min()) <= float(INSIDE.inputs.max()) <= found[1]
    assert found == pytest.approx((0.0, 0.1), rel=1e-7)


@pytest.mark.parametrize("value", [-0.01, 0.11])
def test_training_samples_outside_leave_no_range(value: float) -> None:
    """They were stored in another way, with a range of their own, and nobody compared the two."""
    training = replace(INSIDE, inputs=torch.tensor([[0.05, value]]), input_range=None)
    assert held_range(INSIDE, INSIDE) is not None
    assert held_range(INSIDE, training) is None


def test_without_a_declared_range_there_is_none() -> None:
    assert held_range(replace(INSIDE, input_range=None), INSIDE) is None
