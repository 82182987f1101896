"""Settings of threads: ours where nothing was said, the user's where something was."""

import os

import pytest

from lipcert import openmp


@pytest.mark.parametrize("said", [None, "ACTIVE"])
def test_what_the_environment_says_of_waiting_stays(monkeypatch, said):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", said)
    openmp.wait_patiently()
    assert os.environ["OMP_WAIT_POLICY"] == (said or "PASSIVE")
    assert int(os.environ["GOMP_SPINCOUNT"]) > 0


def test_a_count_of_threads_holds_for_every_library(monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "7")
    openmp.use_threads(3)
    assert {os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS")} == {"3"}
