"""Ray places tasks, survives lost machines and never carries results."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")

from lipcert.audit.engine_ray import RayEngine  # noqa: E402
from lipcert.audit.store import StoreError  # noqa: E402
from lipcert.cli.entry import run  # noqa: E402
from lipcert.errors import UsageError  # noqa: E402
from lipcert.supervise import limits  # noqa: E402
from tests.audit import ray_tasks  # noqa: E402
from tests.audit.fakes import ONNX  # noqa: E402
from tests.audit.logs import completed_twice, events  # noqa: E402
from tests.load.onnx_models import model, node, weights  # noqa: E402


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


def test_tasks_are_done_once_by_workers(tmp_path):
    store, watch = ray_tasks.store_in(tmp_path), ray_tasks.Watch()
    keys = [f"k{i}" for i in range(4)]
    store.write("k2", ray_tasks.document(next(ray_tasks.tasks(store, ["k2"]))))
    engine = RayEngine(1, function=ray_tasks.trivial)
    engine.run(ray_tasks.tasks(store, keys), watch)
    assert watch.done == dict.fromkeys(["k0", "k1", "k3"], "analyzed")  # k2 was there
    assert all(store.read(key)["models"] for key in keys)
    found = pids(store, keys)
    assert len(found) == 3
    assert os.getpid() not in found
    assert not ray.is_initialized()


@pytest.mark.slow
@pytest.mark.parametrize(("gpus", "workers"), [(0, 1), (1, 6)])
def test_a_worker_that_was_lent_a_gpu_serves_one_task(tmp_path, monkeypatch, gpus, workers):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    options = {"num_cpus": 1, "num_gpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=options)
    try:
        store, keys = ray_tasks.store_in(tmp_path), [f"k{i}" for i in range(6)]
        engine = RayEngine(address=cluster.address, gpus=gpus, function=ray_tasks.trivial)
        engine.run(ray_tasks.tasks(store, keys), ray_tasks.Watch())
        assert len(set(pids(store, keys))) == workers
    finally:
        ray.shutdown()
        cluster.shutdown()


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
def test_a_signal_ends_the_run_as_its_handler_says(tmp_path):
    class Stop(BaseException):
        pass

    def stop(number, frame):
        raise Stop

    earlier = signal.signal(signal.SIGUSR1, stop)
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        watch = ray_tasks.Watch(on_tick=lambda watch: watch.begun and not timer.ident and timer.start())
        with pytest.raises(Stop):
            RayEngine(1, function=ray_tasks.slow).run(
                ray_tasks.tasks(ray_tasks.store_in(tmp_path), map(str, range(9))), watch
            )
        assert not ray.is_initialized()
    finally:
        timer.cancel()
        signal.signal(signal.SIGUSR1, earlier)


@pytest.mark.slow
def test_a_task_that_fits_nowhere_does_not_wait(tmp_path):
    engine = RayEngine(1, memory=2**60, function=ray_tasks.trivial)
    with pytest.raises(UsageError, match="which no machine of the Ray cluster has"):
        engine.run(ray_tasks.tasks(ray_tasks.store_in(tmp_path), ["a"]), ray_tasks.Watch())
    assert not ray.is_initialized()


def zoo(folder, count):
    """Small models, no two alike."""
    folder.mkdir()
    for seed in range(count):
        net = model([node("Gemm", "x w", "y", transB=1)], {"w": weights(3, 4, seed=seed)})
        (folder / f"net{seed}.onnx").write_bytes(net.SerializeToString())
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_node_killed_in_the_middle_leaves_no_trace(cluster, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    place, results = zoo(tmp_path / "zoo", 40), tmp_path / "by-ray" / "results"
    options = [str(place), "--only", "layers", "--threads", "1", "--deterministic", "-f", "json", "--quiet"]

    def kill():
        while not results.is_dir() or len(list(results.iterdir())) < 10:
            time.sleep(0.05)
        cluster.remove_node(cluster.spare, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    capfd.readouterr()
    ray_options = ["--engine", "ray", "--ray-address", cluster.address, "--output-dir", "by-ray"]
    assert run(["audit", *options, *ray_options]) == 0
    killer.join(timeout=10)
    assert not killer.is_alive()
    disturbed = capfd.readouterr().out
    assert completed_twice("by-ray") == []
    assert len(events("by-ray")) == 40
    assert run(["audit", *options, "-j", "2"]) == 0
    assert capfd.readouterr().out == disturbed


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_results_never_reach_the_driver(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store, count = ray_tasks.store_in(tmp_path), int(os.environ.get("LIPCERT_TEST_RAY_TASKS", "2000"))
    model = tmp_path / "net.onnx"
    model.write_bytes(ONNX)
    resident, marks = [], [count // 10 * part for part in range(1, 11)]

    def note(watch):
        while len(resident) < 10 and len(watch.done) >= marks[len(resident)]:
            resident.append(round(limits.resident(os.getpid()) / 1e6))

    watch = ray_tasks.Watch(on_tick=note)
    began = time.monotonic()
    names = (f"k{i}" for i in range(count))
    RayEngine(2, function=ray_tasks.supervised).run(ray_tasks.tasks(store, names, model=model), watch)
    seconds = time.monotonic() - began
    assert watch.done == dict.fromkeys((f"k{i}" for i in range(count)), "analyzed")
    assert watch.most <= 2 + 2 + 1
    twice = sum(len(list(store.tries(key))) > 2 for key in watch.done)
    sys.stderr.write(f"{count} tasks in {seconds:.0f} s; {twice} begun twice; driver MB, by tenths: {resident}\n")
    assert completed_twice(store.root) == []
    assert resident[-1] - resident[0] < 20
