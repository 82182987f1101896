"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from lipcert.openmp import wait_patiently

# Read by OpenMP when torch is first imported: a worker a core is faster than workers whose threads share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
wait_patiently()

# A child process for each model would make tests of the command line slow; isolation has tests of its own.
os.environ.setdefault("LIPCERT_NO_ISOLATION", "1")

# The same examples on every machine and every run: a red build must mean a change in the code.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _same_draws() -> None:
    """Weights and inputs that a test draws without a generator of its own are the same on every run."""
    import torch

    torch.default_generator.manual_seed(0)


ROOT = Path(__file__).resolve().parent.parent


def _outside(*parts: str) -> Path:
    path = ROOT.parent.joinpath("shared", *parts)
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


@pytest.fixture(scope="session")
def material() -> Path:
    """Folder of real classifiers and images that are not part of the project."""
    return _outside("material")


@pytest.fixture(scope="session")
def sample_models() -> Path:
    """The trained models and data that ship with the project."""
    return ROOT / "sample_models"
