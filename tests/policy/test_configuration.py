"""What a configuration may say, where it stands, and how it is refused."""

from pathlib import Path

import pytest

from lipcert.errors import ConfigurationError
from lipcert.policy import PRESETS, analyses_needed, balls_needed, checks_for, load_config, settings_for
from lipcert.policy.lines import line_numbers
from lipcert.policy.parse import parse_config
from lipcert.policy.specs import check_spec

EXAMPLE = """\
schema = 1
fail-on = "error"
baseline = "main.json"

[data]
path = "data/val.npz"
[preprocess]
scale = 255
mean = [0.4914, 0.4822, 0.4465]
std  = [0.2470, 0.2435, 0.2616]
input-range = [0, 1]
[analysis]
time-budget = "5m"
eps = ["2/255", 0.1]
deterministic = true

[checks."clean.accuracy"]
level = "error"
min = 0.90
[checks."certified.accuracy"]
level = "error"
norm = "linf"
eps = "2/255"
min = "35%"
regression = "1%"          # against --baseline REPORT.json
[checks."lipschitz.l2"]
level = "warning"
max = 50

[models."zoo/conv*".checks."clean.accuracy"]
min = 0.95
[models."zoo/conv*".checks."lipschitz.l2"]
level = "off"
[models."zoo/conv*".analysis]
effort = "high"

[[ignore]]
check = "lipschitz.l2"
model = "zoo/old/*"
reason = "legacy, retired in Q1"
expires = 2027-03-31
"""


def read(text, source="lipcert.toml"):
    return parse_config(text, source, Path("ci"))


def test_the_example_is_read_with_every_line():
    config = read(EXAMPLE)
    values = {name: setting.value for name, setting in config.options.items()}
    assert values["data"] == str(Path("ci/data/val.npz"))
    assert values["baseline"] == str(Path("ci/main.json"))
    assert values["mean"] == ("0.4914", "0.4822", "0.4465")
    assert values["input_range"] == "0,1"
    assert values["eps"] == ("2/255", "0.1")
    assert values["deterministic"] is True
    lines = EXAMPLE.splitlines()
    for name, raw in config.checks.items():
        assert lines[raw.line - 1] == f'[checks."{name}"]'
    assert lines[config.options["time_budget"].line - 1] == 'time-budget = "5m"'
    assert lines[config.ignores[0].line - 1] == "[[ignore]]"
    specs = {spec.id: spec for spec in checks_for(config, "a.onnx")}
    assert str(specs["certified.accuracy"].metric) == "certificates.certified_accuracy[norm=linf,eps=2/255]"
    assert specs["certified.accuracy"].minimum == 0.35
    assert analyses_needed(specs.values()) == ("lipschitz", "margins", "certificates")
    assert balls_needed(specs.values()) == (("linf:2/255",), ("linf",))


def test_overrides_are_merged_key_by_key():
    config = read(EXAMPLE)
    specs = {spec.id: spec for spec in checks_for(config, "zoo/conv1.onnx")}
    assert specs["clean.accuracy"].minimum == 0.95
    assert specs["clean.accuracy"].level == "error"
    assert "lipschitz.l2" not in specs
    assert settings_for(config, "zoo/conv1.onnx")["effort"].value == "high"
    assert "effort" not in settings_for(config, "zoo/mlp.onnx")


def test_pyproject_holds_a_table(tmp_path):
    text = '[project]\nname = "x"\n\n[tool.lipcert.checks."clean.accuracy"]\nmin = 0.9\n'
    (tmp_path / "pyproject.toml").write_text(text)
    config = load_config(folder=tmp_path)
    assert config.checks["clean.accuracy"].line == 4
    (tmp_path / "lipcert.toml").write_text("schema = 1\n")
    assert load_config(folder=tmp_path).checks == {}
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ConfigurationError, match=r"tool\.lipcert"):
        load_config(tmp_path / "pyproject.toml")


CHECK = '[checks."clean.accuracy"]\nmin = 0.9\n'


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("shema = 1", "unknown key 'shema'", "did you mean 'schema'"),
        ("schema = 2", "this lipcert reads 1", "upgrade"),
        ("schema = ", "not readable TOML", ""),
        ("fail-on = 'eror'", "is 'eror'", "did you mean 'error'"),
        ("preset = 'robst'", "is 'robst'", "did you mean 'robust'"),
        ("preset = 'robust'\npresets = ['sanity']", "both", "one of them"),
        ("[data]\npth = 'x'", "unknown key 'pth'", "did you mean 'path'"),
        ("[preprocess]\nmaen = 1", "unknown key 'maen'", "did you mean 'mean'"),
        ("[analysis]\nefort = 'fast'", "unknown key 'efort'", "did you mean 'effort'"),
        ("[data]\nsamples = true", "a number is needed", ""),
        ("[data]\npath = 3", "a path is needed", ""),
        ("checks = 3", "a table is needed", ""),
        ("[checks]\nclean = 3", "a table is needed", "in quotes"),
        ("[checks.clean.accuracy]\nmin = 1", "unknown key 'accuracy'", ""),
        ('[checks."claen.accuracy"]\nmin = 0.9', "no metric is called 'claen.accuracy'", "did you mean clean.accuracy"),
        ('[checks."jacobian.statistics.spectral_norm"]\nmax = 1', "no metric", "median"),
        (CHECK + "mni = 1", "unknown key 'mni'", "did you mean 'min'"),
        (CHECK + "level = 'eror'", "level of", "did you mean 'error'"),
        (CHECK + "accept = 'guess'", "accept of", "known: proved"),
        ('[checks."clean.accuracy"]\nlevel = "error"', "asks for nothing", "min, max"),
        ('[checks."clean.accuracy"]\nmin = 0.9\nmax = 0.5', "above max", ""),
        ('[checks."clean.accuracy"]\nmin = nan', "finite", ""),
        ('[checks."clean.accuracy"]\nmin = true', "finite", ""),
        ('[checks."clean.accuracy"]\nmin = "many"', "finite", "90%"),
        (CHECK + "regression = -1", "must not be negative", ""),
        (CHECK + "eps = 'x'", "eps of", "2/255"),
        ('[checks."signature.parameters"]\nregression = "1%"', "better neither way", "higher"),
        (CHECK + "[[ignore]]\ncheck = 'clean.accuracy'", "reason of", "next year"),
        (CHECK + "[[ignore]]\ncheck = 'clean.acuracy'\nreason = 'x'", "unknown key 'clean.acuracy'", "did you mean"),
        (CHECK + "[[ignore]]\ncheck='clean.accuracy'\nreason='x'\nexpires='soon'", "expires of", "2027"),
        (CHECK + "[models.'*'.check.x]\nmin = 1", "unknown key 'check'", "did you mean 'checks'"),
        (CHECK + "[models.'*'.checks.'clean.accuracy']\nmni = 1", "unknown key 'mni'", "did you mean 'min'"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_place_and_a_hint(text, message, hint):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "lipcert.toml" in caught.value.message


@pytest.mark.parametrize("name", PRESETS)
def test_presets_hold_checks_that_can_be_judged(name):
    config = read(f"# first line\npreset = '{name}'\n")
    assert set(config.checks) == set(PRESETS[name])
    for check, raw in config.checks.items():
        spec = check_spec(check, raw)
        assert (spec.source, spec.line) == ("lipcert.toml", 2)
    if name == "strict":
        assert all(spec.level == "error" for spec in checks_for(config, "m"))


def test_the_file_goes_above_its_preset():
    config = read('preset = "sanity"\n[checks."diagnostics.warnings"]\nlevel = "off"\n')
    assert "diagnostics.warnings" not in {spec.id for spec in checks_for(config, "m")}


SPELLINGS = """\
a = 1
b.c."d.e" = 2
[t]  # comment
x = '''
[not.a.table]
'''
y = "= [no]"
[[l]]
k = 1
[[l]]
[l.sub]
"""


def test_lines_are_found_whatever_the_spelling():
    lines = line_numbers(SPELLINGS)
    expected = {
        ("a",): 1,
        ("b", "c", "d.e"): 2,
        ("t",): 3,
        ("t", "x"): 4,
        ("t", "y"): 7,
        ("l", "0"): 8,
        ("l", "0", "k"): 9,
        ("l", "1"): 10,
    }
    assert {key: lines[key] for key in expected} == expected
    assert ("not", "a", "table") not in lines


def test_a_ball_needs_its_norm():
    config = read('[checks."certified.accuracy"]\neps = 0.1\nmin = 0.5\n')
    with pytest.raises(ConfigurationError, match="without a norm"):
        balls_needed(checks_for(config, "m"))
