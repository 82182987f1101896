"""A configuration says what an audit analyses, how, and what it is held to."""

import json

import pytest

from lipcert.audit.plan import load_plan
from lipcert.audit.store import Store
from tests.audit.fakes import make_zoo

CONFIG = """
[data]
path = "data/test.npz"
samples = 20
[preprocess]
mean = [0.5]
[analysis]
effort = "fast"
eps = [0.2]
[checks."clean.accuracy"]
min = 0.9
"""


@pytest.fixture
def config(tmp_path):
    """A configuration in a folder of its own, with its data, and a zoo beside it."""
    (tmp_path / "ci" / "data").mkdir(parents=True)
    (tmp_path / "ci" / "data" / "test.npz").write_bytes(b"")
    make_zoo(tmp_path / "zoo", 1, family="old")
    make_zoo(tmp_path / "zoo", 1, family="new")

    def write(*more):
        path = tmp_path / "ci" / "lipcert.toml"
        path.write_text(CONFIG + "\n".join(more))
        return path

    return write


def requests(folder="lipcert-audit", **options):
    """Family -> what is asked of its model."""
    plan = load_plan(Store(folder / "lipcert-audit"))
    return {member.family: plan.requests[member.request] for member in plan.members}


def test_models_are_analysed_as_configured(audit, config, tmp_path):
    assert audit("zoo", "--config", config('[models."zoo/old/*".analysis]', "seed = 7")).code == 0
    found = requests(tmp_path)
    assert {str(request.data) for request in found.values()} == {str(tmp_path / "ci" / "data" / "test.npz")}
    assert {request.mean for request in found.values()} == {(0.5,)}
    assert {request.settings.effort for request in found.values()} == {"fast"}
    assert {request.settings.samples for request in found.values()} == {20}
    assert {family: request.settings.seed for family, request in found.items()} == {"old": 7, "new": 0}
    assert {str(request.settings.eps) for request in found.values()} == {"{'linf': (0.2,)}"}


def test_options_count_before_the_manifest_and_the_manifest_before_the_configuration(audit, config, tmp_path):
    text = '[options]\nsamples = 5\neffort = "high"\n[[models]]\npath = "zoo"\n'
    (tmp_path / "audit.toml").write_text(text)
    assert audit("audit.toml", "--config", config(), "--samples", 3).code == 0
    (found,) = requests(tmp_path).values()
    assert (found.settings.samples, found.settings.effort, found.mean) == (3, "high", (0.5,))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((), {"linf": (0.2,), "l2": (0.3,)}),
        (("--eps", "0.1,l1:2"), {"linf": (0.1,), "l1": (2.0,), "l2": (0.3,)}),
        (("--norm", "l1", "--eps", "1"), {"l1": (1.0,), "l2": (0.3,)}),
    ],
)
def test_balls_that_checks_name_are_computed_too(audit, config, tmp_path, asked, expected):
    audit("zoo", "--config", config('[checks."certified.accuracy"]', 'norm = "l2"', "eps = 0.3", "min = 0"), *asked)
    assert {frozenset(request.settings.eps.items()) for request in requests(tmp_path).values()} == {
        frozenset(expected.items())
    }


def test_the_gate_is_that_of_check(audit, config):
    path = config()
    found = audit("zoo", "--config", path, "-f", "json")
    assert (found.code, json.loads(found.out)["summary"]["gate"]) == (0, "pass")
    strict = '[models."zoo/old/*".checks."clean.accuracy"]', "min = 0.999"
    for command in (("zoo",), ("status",), ("export",)):
        found = audit(*command, "--config", config(*strict), "-f", "json")
        document = json.loads(found.out)
        states = {model["family"]: model["checks"][0]["state"] for model in document["models"]}
        assert states == {"old": "fail", "new": "pass"}
        assert (found.code, document["summary"]["gate"]) == (1, "fail")
    for style in ("text", "markdown", "html"):
        shown = audit("export", "--config", path, "-f", style).out
        assert "clean.accuracy: fail" in shown.replace("\\", "")
        assert "0 of 1 checks" in shown
    assert audit("status", "--config", path, "--exit-zero").code == 0
    waiver = "[[ignore]]", 'check = "clean.accuracy"', 'model = "zoo/old/*"', 'reason = "retired"'
    assert audit("status", "--config", config(*strict, *waiver)).code == 0


def test_a_result_that_cannot_be_judged_passes_no_gate(audit, config, tmp_path):
    path = config()
    assert audit("zoo", "--config", path).code == 0
    kept = min((tmp_path / "lipcert-audit" / "results").glob("*.json"))
    kept.write_text(kept.read_text().replace('"clean_accuracy"', '"clean_correctness"'))
    found = audit("status", "--config", path, "-f", "json")
    assert (found.code, json.loads(found.out)["summary"]["gate"]) == (3, "inconclusive")


def test_a_regression_is_judged_by_the_baseline(audit, config, tmp_path):
    path = config('regression = "1%"')
    assert audit("zoo", "--config", path).code == 3
    results = sorted((tmp_path / "lipcert-audit" / "results").glob("*.json"))
    reports = [json.loads(result.read_text()) for result in results]
    for report in reports:
        for model in report["models"]:
            model["path"] = model["path"].removeprefix(f"{tmp_path}/")
    reports[0]["models"] += reports[1]["models"]
    (tmp_path / "main.json").write_text(json.dumps(reports[0]))
    assert audit("status", "--config", path, "--baseline", "main.json").code == 0


def test_what_a_configuration_cannot_say_is_refused(audit, config):
    found = audit("zoo", "--config", config("[analysys]"))
    assert found.code == 2
    assert "did you mean" in found.err
    assert audit("zoo", "--config", "nowhere.toml").code == 2
