"""A store that was damaged, filled up, or may only be read."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lipcert.audit.index import Index
from lipcert.audit.store import Store, StoreError
from tests.audit.fakes import make_zoo
from tests.audit.logs import starts


@pytest.fixture
def done(audit, tmp_path):
    """The folder of an audit of three models that is finished."""
    make_zoo(tmp_path / "zoo", 3)
    assert audit("zoo").code == 0
    return tmp_path / "lipcert-audit"


def results(store):
    return sorted((store / "results").glob("*.json"))


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_a_truncated_result_is_made_again(audit, done, size):
    before = results(done)[0].read_bytes()
    results(done)[0].write_bytes(before[:size])
    assert "1 to do" in audit("status").out
    assert "; 1 to do" in audit("zoo").err
    assert results(done)[0].read_bytes() == before


def test_a_name_that_is_no_unicode_is_a_name(audit, tmp_path):
    zoo = make_zoo(tmp_path / "zoo", 2)
    (zoo / "net-0000.onnx").rename(zoo / "n\udcff\x1b[2J\n.onnx")
    found = audit("zoo")
    assert found.code == 0
    assert "\x1b" not in found.out + found.err
    assert len(found.err.splitlines()) == 3
    assert "; 0 to do" in audit("zoo").err
    for format_name in ("json", "jsonl", "csv", "markdown", "html", "text"):
        assert "udcff" in audit("export", "-f", format_name).out


@pytest.mark.parametrize("text", ["", "{", "lipcert.audit-index 2\n[3]\n", "lipcert.audit-index 2\nnot json\n", "\0"])
def test_the_caches_can_be_lost(audit, done, text):
    before = audit("export", "-f", "json").out
    for name in ("index.jsonl", "files.jsonl"):
        (done / "cache" / name).write_text(text)
    assert audit("export", "-f", "json").out == before
    shutil.rmtree(done / "cache")
    assert audit("export", "-f", "json").out == before
    assert "; 0 to do" in audit("zoo").err


def test_the_index_reads_nothing_twice(done, monkeypatch):
    assert len(Index(Store(done)).refresh()) == 3
    monkeypatch.setattr("lipcert.audit.index.read_document", lambda path: pytest.fail(f"read {path}"))
    assert len(Index(Store(done)).refresh()) == 3


def test_drafts_and_locks_of_a_dead_process_are_no_hindrance(audit, done):
    (done / "results" / f".{results(done)[0].name}.1.tmp").write_text("{")
    for name in (f"results/.{results(done)[0].name}", ".zoo.jsonl", "cache/.index.jsonl"):
        (done / Path(name).with_name(f"{Path(name).name}.{os.getpid()}.tmp")).write_text("{")
    (done / "lock").write_text("1")
    (done / "attempts" / results(done)[0].with_suffix(".jsonl").name).open("a").write('{"event": "st')
    assert "; 0 to do" in audit("zoo").err
    assert set(starts().values()) == {1}


def test_a_result_tells_what_it_is(done):
    document = json.loads(results(done)[0].read_text())
    assert document["schema"] == "lipcert.report"
    assert next(Store(done).tries(results(done)[0].stem))["event"] == "start"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_may_only_be_read_is_read(audit, done):
    (done / "cache").chmod(0o500)
    (done / "results").chmod(0o500)
    assert audit("status").code == 0
    assert audit("zoo").code == 2


def test_a_full_disk_costs_nothing_that_is_done(audit, done, tmp_path, monkeypatch):
    make_zoo(tmp_path / "zoo", 5)

    def full(self, key, text):
        raise StoreError("no space left on device", hint="make room")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        found = audit("zoo", "-f", "json")
    assert found.code == 3
    assert json.loads(found.out)["errors"][0]["message"] == "no space left on device"
    assert len(results(done)) == 3
    assert "; 2 to do" in audit("zoo").err


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_full_file_system_costs_nothing_that_is_done(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 30)
    (tmp_path / "small").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", "small"], check=False)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        found = audit("zoo", "--output-dir", "small/audit")
        assert found.code == 3
        assert "No space left" in found.err
        assert "traceback" not in found.err
        kept = len(results(tmp_path / "small" / "audit"))
        assert 0 < kept < 30
        subprocess.run(["mount", "-o", "remount,size=100m", "small"], check=True)
        again = audit("zoo", "--output-dir", "small/audit")
        assert again.code == 0
        assert f"{kept} of them done before" in again.err
    finally:
        subprocess.run(["umount", "small"], check=True)
