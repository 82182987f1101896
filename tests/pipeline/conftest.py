"""What every test of the pipeline runs with."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lipcert.analyses.certificates.ball_margins import ALLOWED
from lipcert.analyses.generalization import all_layer_margin
from lipcert.analyses.generalization.flatness import SECONDS
from lipcert.analyses.generalization.posterior import PLANS
from lipcert.pipeline import training_gaps


@pytest.fixture(scope="package", autouse=True)
def _short_search() -> Iterator[None]:
    """Little work for the searches behind bounds on unseen inputs: tests here ask where results go, not how good
    they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PLANS, "default", replace(PLANS["default"], steps=60, least=1, draws=20))
        patch.setitem(ALLOWED, "default", 1e8)
        patch.setitem(all_layer_margin.SAMPLES, "default", 8)
        patch.setitem(SECONDS, "default", 0.8)
        patch.setitem(training_gaps.MOST, "default", 16)
        yield
