"""Margins of clean samples."""

import math

import pytest
import torch

from lipcert.analyses.margins import analyze_margins
from tests import graphs

LABELS = torch.tensor([0])


def test_toy():
    logits = graphs.toy().to(dtype=torch.float64)(torch.ones(1, 2, dtype=torch.float64))
    record = analyze_margins(logits, LABELS)
    assert record.distribution.mean == 1
    assert record.clean_loss == pytest.approx(0.313262, abs=1e-6)
    assert record.class_accuracy == (1.0, None)


def test_ties_and_wrong_samples_are_errors():
    logits = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [5.0, 0.0, 0.0]], dtype=torch.float64)
    record = analyze_margins(logits, torch.tensor([0, 2, 0]))
    assert record.clean_accuracy == pytest.approx(1 / 3)
    assert record.class_accuracy == (0.5, None, 0.0)
    assert record.distribution.min == -1


def test_loss_of_a_saturated_classifier_keeps_its_digits():
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], dtype=torch.float64)
    assert analyze_margins(logits[:1], LABELS).clean_loss == pytest.approx(math.exp(-200), rel=1e-12)
    assert analyze_margins(logits[1:], LABELS).clean_loss == 200


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="two classes"):
        analyze_margins(torch.zeros(3, 1, dtype=torch.float64), torch.zeros(3, dtype=torch.long))
