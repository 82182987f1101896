"""What every test of the pipeline runs with."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lipcert.analyses.generalization.posterior import PLANS


@pytest.fixture(scope="session", autouse=True)
def _short_search() -> Iterator[None]:
    """A few steps for the posterior of the PAC-Bayes bound: tests here ask where results go, not how good they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PLANS, "default", replace(PLANS["default"], steps=60, least=1, draws=20))
        yield
