"""Ray places tasks, survives lost machines and never carries results."""

import os
import resource
import sys
import time

import pytest

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")

from lipcert.audit.engine_ray import RayEngine  # noqa: E402
from lipcert.audit.store import StoreError  # noqa: E402
from lipcert.errors import UsageError  # noqa: E402
from lipcert.records import AnalyzeSettings  # noqa: E402
from tests.audit import ray_tasks  # noqa: E402


@pytest.fixture
def cluster(monkeypatch):
    """Two machines of one CPU each, as processes."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    options = {"num_cpus": 1, "object_store_memory": 80_000_000}
    found = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    found.spare = found.add_node(**options)
    found.wait_for_nodes()
    yield found
    ray.shutdown()
    found.shutdown()


def pids(store, keys):
    return [entry["pid"] for key in keys for entry in store.tries(key) if entry["event"] == "analyzed"]


def test_tasks_are_done_once_each_in_a_worker_of_its_own(tmp_path):
    store, watch = ray_tasks.store_in(tmp_path), ray_tasks.Watch()
    keys = [f"k{i}" for i in range(4)]
    store.write("k2", ray_tasks.document(next(ray_tasks.tasks(store, ["k2"]))))
    engine = RayEngine(1, function=ray_tasks.trivial)
    engine.run(ray_tasks.tasks(store, keys), watch)
    assert watch.done == dict.fromkeys(["k0", "k1", "k3"], "analyzed")  # k2 was there
    assert all(store.read(key)["models"] for key in keys)
    found = pids(store, keys)
    assert len(found) == len(set(found)) == 3
    assert os.getpid() not in found
    assert not ray.is_initialized()


def test_no_cluster_is_a_usage_error():
    with pytest.raises(UsageError, match="no Ray cluster"):
        RayEngine(address="127.0.0.1:1").run([], ray_tasks.Watch())


@pytest.mark.slow
def test_a_worker_that_dies_is_that_models_result(tmp_path):
    store, watch = ray_tasks.store_in(tmp_path), ray_tasks.Watch()
    RayEngine(2, function=ray_tasks.dying).run(ray_tasks.tasks(store, ["a"]), watch)
    assert watch.done == {"a": "inconclusive"}
    assert store.read("a")["errors"][0]["code"] == "model.killed"
    with pytest.raises(StoreError, match="No space left"):
        RayEngine(2, function=ray_tasks.failing).run(ray_tasks.tasks(store, ["b"]), watch)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_node_is_killed_in_the_middle(cluster, tmp_path, sample_models):
    store = ray_tasks.store_in(tmp_path)
    settings = AnalyzeSettings(analyses=("layers",), effort="fast")
    keys, killed = [f"k{i}" for i in range(8)], []

    def kill(watch):
        if len(watch.done) >= 2 and not killed:
            killed.append(time.monotonic())
            cluster.remove_node(cluster.spare, allow_graceful=False)

    watch = ray_tasks.Watch(on_tick=kill)
    engine = RayEngine(address=cluster.address)
    engine.run(ray_tasks.tasks(store, keys, sample_models / "digits_mlp.onnx", settings), watch)
    assert killed
    assert watch.done == dict.fromkeys(keys, "analyzed")
    for key in keys:
        events = [entry["event"] for entry in store.tries(key)]
        assert events.count("analyzed") == 1, events
        assert events[-1] == "analyzed"
        assert store.read(key)["models"][0]["layers"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_results_never_reach_the_driver(tmp_path):
    store, count = ray_tasks.store_in(tmp_path), int(os.environ.get("LIPCERT_TEST_RAY_TASKS", "2000"))
    peaks = []

    def note(watch):
        if len(watch.done) in (count // 10, count - 10):
            peaks.append((len(watch.done), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))

    watch = ray_tasks.Watch(on_tick=note)
    began = time.monotonic()
    RayEngine(2, function=ray_tasks.trivial).run(ray_tasks.tasks(store, (f"k{i}" for i in range(count))), watch)
    seconds = time.monotonic() - began
    assert len(watch.done) == count
    assert watch.most <= 2 + 2 + 1
    sys.stderr.write(f"{count} tasks in {seconds:.0f} s; peak MB {peaks}\n")
    assert peaks[-1][1] - peaks[0][1] < 50
