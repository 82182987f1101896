"""How many models at a time, and what each of them may take."""

import pytest

from lipcert.cli.audit import workload
from lipcert.supervise.limits import machine_memory

NOTHING = dict.fromkeys("jobs threads max_memory timeout device gpu_slots engine ray_address".split())


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Eight cores and no GPU."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.mark.parametrize(
    ("given", "jobs", "threads", "shares"),
    [
        ({}, 1, 8, 1),
        ({"jobs": "4"}, 4, 2, 4),
        ({"jobs": "16"}, 16, 1, 16),
        ({"threads": "3"}, 1, 3, 1),
        ({"engine": "ray"}, 8, 1, 8),
        ({"engine": "ray", "threads": "3"}, 2, 3, 2),
        ({"engine": "ray", "jobs": "2"}, 2, 4, 2),
        ({"engine": "ray", "threads": "16"}, 1, 16, 1),
    ],
)
def test_cores_and_memory_are_shared_out(given, jobs, threads, shares):
    given = NOTHING | given
    found = workload.share(given)
    assert (workload.jobs(given), found.threads) == (jobs, threads)
    assert found.max_memory == int(0.9 * machine_memory() / shares)


@pytest.mark.parametrize("jobs", [None, "3"])
def test_a_cluster_is_not_measured_by_this_machine(jobs):
    found = workload.share(NOTHING | {"engine": "ray", "ray_address": "auto", "jobs": jobs})
    assert (found.threads, found.max_memory) == (1, None)


def test_gpus_have_slots(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert workload.jobs(NOTHING | {"gpu_slots": "3"}) == 6
    assert workload.devices(NOTHING | {"gpu_slots": "2"}) == ("cuda:0", "cuda:1", "cuda:0", "cuda:1")
    assert workload.devices(NOTHING | {"device": "cuda:1", "gpu_slots": "2"}) == ("cuda:1", "cuda:1")
    assert workload.devices(NOTHING | {"device": "cpu"}) == ()
