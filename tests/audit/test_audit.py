"""An audit from end to end: what runs, what is kept, what is run again."""

import json

import pytest

from tests.audit.fakes import make_zoo
from tests.audit.logs import starts


def test_an_unchanged_zoo_is_not_run_again(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 4)
    first, again = audit("zoo", "-j", 2, "-f", "json"), audit("zoo", "-f", "json")
    assert first.code == again.code == 0
    assert first.out == again.out
    assert set(starts().values()) == {1}
    assert "0 to do" in again.err


def test_names_do_not_count_and_contents_and_settings_do(audit, tmp_path):
    zoo = make_zoo(tmp_path / "zoo", 3)
    audit("zoo")
    (zoo / "net-0000.onnx").rename(zoo / "other.onnx")
    assert "; 0 to do" in audit("zoo").err
    (zoo / "copy.onnx").write_bytes((zoo / "other.onnx").read_bytes())
    found = audit("zoo")
    assert "; 0 to do" in found.err
    assert "1 of the same content as another" in found.out
    (zoo / "other.onnx").write_bytes((zoo / "other.onnx").read_bytes() + b"\x0a\x00")
    assert "; 1 to do" in audit("zoo").err
    assert "; 4 to do" in audit("zoo", "--eps", "0.5").err


@pytest.mark.parametrize("threads", [1, 2])
def test_one_poisoned_model_costs_only_itself(audit, tmp_path, threads):
    kinds = ("segfault", "endless", "terabyte", "leave", "garbage", "refused", "broken")
    make_zoo(tmp_path / "zoo", 2, *kinds)
    found = audit("zoo", "-j", threads, "--timeout", "3", "-f", "json", "--retries", 0)
    assert found.code == 3
    models = {model["name"].removesuffix(".onnx"): model for model in json.loads(found.out)["models"]}
    causes = {name: (model["error"] or {}).get("code") for name, model in models.items()}
    assert causes == {
        "net-0000": None,
        "net-0001": None,
        "garbage": None,
        "segfault": "model.crashed",
        "leave": "model.crashed",
        "endless": "model.timeout",
        "terabyte": "memory",
        "refused": "model.refused",
        "broken": "internal",
    }
    assert "SIGSEGV" in models["segfault"]["error"]["message"]
    assert "exit status 0" in models["leave"]["error"]["message"]


def test_what_is_worth_another_try_gets_one(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 0, "killed", "hungry", "segfault")
    found = audit("zoo", "-f", "json")
    assert starts() == {"killed.onnx": 2, "hungry.onnx": 2, "segfault.onnx": 1}
    states = {model["name"]: model["status"] for model in json.loads(found.out)["models"]}
    assert states == {"killed.onnx": "inconclusive", "hungry.onnx": "analyzed", "segfault.onnx": "inconclusive"}


def test_what_failed_stays_until_it_is_asked_for(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 1, "segfault")
    audit("zoo")
    assert "; 0 to do" in audit("zoo").err
    assert "; 1 to do" in audit("zoo", "--overwrite", "failed").err
    assert "; 1 to do" in audit("retry").err
    assert "; 2 to do" in audit("zoo", "--overwrite", "always").err
    assert starts() == {"net-0000.onnx": 2, "segfault.onnx": 4}


def test_fail_fast_leaves_the_rest(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 3, "refused")
    found = audit("zoo/refused.onnx", "zoo", "--fail-fast")
    assert found.code == 3
    assert "3 to do" in found.out


def test_shards_are_the_whole(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 7)
    reports = [audit("zoo", "--shard", f"{part}/3", "-f", "json") for part in (1, 2, 3)]
    assert [report.code for report in reports] == [0, 0, 0]
    assert sum(json.loads(report.out)["summary"]["models"] for report in reports) == 7
    assert set(starts().values()) == {1}
    assert audit("status").code == 0


def test_families_and_formats(audit, tmp_path):
    make_zoo(tmp_path / "zoo", 2, family="old")
    make_zoo(tmp_path / "zoo", 1, "segfault", family="new")
    found = audit("zoo", *(f"--report={name}=out.{name}" for name in ("json", "jsonl", "csv", "markdown", "html")))
    assert found.out.index("\nnew\n") < found.out.index("\nold\n")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 5
    assert [json.loads(line)["family"] for line in (tmp_path / "out.jsonl").open()] == ["new", "new", "old", "old"]
    assert "## old" in (tmp_path / "out.markdown").read_text()
    assert (tmp_path / "out.html").read_text().startswith("<!DOCTYPE html>\n<!-- lipcert.audit 1.1 -->")
    exported = audit("export", "-f", "csv")
    assert exported.code == 0
    assert exported.out == (tmp_path / "out.csv").read_text()


def test_a_table_for_pandas(audit, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    make_zoo(tmp_path / "zoo", 2)
    assert audit("zoo", "--report", "parquet=zoo.parquet").code == 0
    assert parquet.read_table(tmp_path / "zoo.parquet").num_rows == 2
    assert audit("export", "-f", "parquet").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nowhere",), 2),
        (("empty",), 4),
        (("empty/*.onnx",), 4),
        (("status",), 2),
        (("zoo", "--shard", "3/2"), 2),
        (("zoo", "--overwrite", "never"), 2),
        (("zoo", "--output-dir", "file"), 2),
        (("zoo", "--eps", "-1"), 2),
        (("zoo", "--engine", "cloud"), 2),
    ],
)
def test_what_makes_no_sense_is_refused(audit, tmp_path, arguments, code):
    make_zoo(tmp_path / "zoo", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert audit(*arguments).code == code


def test_help_names_the_parts_and_not_the_one_that_is_meant_anyway(audit):
    found = audit("--help").out
    assert found.startswith("Usage: lipcert audit [OPTIONS] TARGET...\n")
    assert all(f"\n  {name} " in found for name in ("status", "retry", "export"))
    assert "\n  run " not in found
    assert audit("status", "--help").out.startswith("Usage: lipcert audit status [OPTIONS]\n")
