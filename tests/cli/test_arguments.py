"""What a command line asks for, and what it may not ask for."""

import json

import pytest
import typer

from lipcert.cli import options as every
from lipcert.cli.app import app
from lipcert.cli.option import Group
from lipcert.cli.table import ROOT
from lipcert.records import ANALYSES

SETTINGS = [
    (("--eps", "2/255,0.1"), "eps", {"linf": (2 / 255, 0.1)}),
    (("--eps", "0.1", "--eps", "0.2"), "eps", {"linf": (0.1, 0.2)}),
    (("--eps", "0.5", "--norm", "l2,linf"), "eps", {"l2": (0.5,), "linf": (0.5,)}),
    (("--eps", "l2:0.5,linf:8/255"), "eps", {"l2": (0.5,), "linf": (8 / 255,)}),
    (("--norm", "l2"), "eps", {"l2": ()}),
    ((), "eps", None),
    ((), "analyses", ANALYSES),
    (("--only", "margins,layers"), "analyses", ("layers", "margins")),
    (
        ("--skip", "jacobian", "--skip", "robustness"),
        "analyses",
        ("layers", "lipschitz", "margins", "certificates", "generalization"),
    ),
    (("--seed", "7"), "seed", 7),
    (("--device", "cuda:1"), "device", "cuda:1"),
    (("--confidence", "0.99"), "confidence", 0.99),
    (("--samples", "1_000"), "samples", 1000),
    (("--deterministic",), "deterministic", True),
    (("--effort", "HIGH"), "effort", "high"),
    (("--split", "Train"), "split", "train"),
    ((), "split", "unknown"),
]


@pytest.mark.parametrize(("options", "name", "value"), SETTINGS)
def test_settings(lipcert, model, requests, options, name, value):  # noqa: PLR0917  fixtures
    assert lipcert("analyze", model, *options).code == 0
    assert getattr(requests[0].settings, name) == value


REQUESTS = [
    (("--mean", "0.1,0.2", "--mean", "0.3"), "mean", (0.1, 0.2, 0.3)),
    (("--mean", "-0.5"), "mean", (-0.5,)),
    (("--std", "1/255"), "std", (1 / 255,)),
    (("--scale", "255"), "scale", 255.0),
    (("--input-range", "-1,1"), "input_range", (-1.0, 1.0)),
    (("--input-shape", "3x32x32"), "input_shape", (3, 32, 32)),
    (("--input-shape", "3,32,32"), "input_shape", (3, 32, 32)),
    (("--layout", "NHWC"), "layout", "nhwc"),
    (("--data", "d.npz", "--labels", "l.npy"), "labels", "l.npy"),
    (("--output-name", "scores"), "output_name", "scores"),
    (("--allow-code",), "allow_code", True),
]


@pytest.mark.parametrize(("options", "name", "value"), REQUESTS)
def test_requests(lipcert, model, requests, options, name, value):  # noqa: PLR0917  fixtures
    assert lipcert("analyze", model, *options).code == 0
    assert getattr(requests[0], name) == value
    assert requests[0].model == model


REFUSED = [
    (("--eps", "0"), "above 0"),
    (("--eps", "-1/255"), "above 0"),
    (("--eps", "nan"), "finite"),
    (("--eps", "inf"), "finite"),
    (("--eps", "8/0"), "fraction like 8/255"),
    (("--eps", "much"), "fraction like 8/255"),
    (("--eps", ""), "--eps was given without a value"),
    (("--mean", ","), "--mean was given without a value"),
    (("--only", ""), "--only was given without a value"),
    (("--eps", "l2:1", "--norm", "linf"), "add --norm l2"),
    (("--eps", "l3:1"), "known: linf, l2"),
    (("--norm", "l_inf"), "did you mean linf"),
    (("--only", "margin"), "did you mean margins"),
    (("--skip", "everything"), "known: layers"),
    (("--only", "layers", "--skip", "layers"), "nothing to do"),
    (("--std", "0"), "above 0"),
    (("--input-range", "1,0"), "LO below HI"),
    (("--input-range", "1"), "LO below HI"),
    (("--input-shape", "3,0,2"), "at least 1"),
    (("--samples", "0"), "at least 1"),
    (("--samples", "ten"), "whole number"),
    (("--samples", "9" * 5000), "(5,000 characters)"),
    (("--seed", "-1"), "at least 0"),
    (("--seed", str(2**63)), "at most 9,223,372,036,854,775,807"),
    (("--confidence", "1"), "between 0 and 1"),
    (("--device", "gpu"), "cuda:0"),
    (("--dtype", "float16"), "did you mean float"),
    (("--format", "jason"), "did you mean json"),
    (("--json", "-f", "text"), "contradict"),
    (("--report", "report.md"), "FORMAT=FILE"),
    (("--report", "json=-"), "same place"),
    (("--split", "validation"), "known: test, train, unknown"),
    (("--color", "blue"), "known: auto"),
    (("--threads", "0"), "at least 1"),
    (("--threads", "100000000"), "at most 1,024"),
    (("--epsilon", "1"), "--eps"),
    (("extra",), "unexpected extra argument"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_usage_errors_say_what_to_do(lipcert, model, requests, options, words):
    outcome = lipcert("analyze", model, *options)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.out == ""
    assert not requests


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_usage_errors_are_documents_with_json(lipcert, model, requests, options, words):
    if "-f" in options or "--format" in options:
        pytest.skip("this one names another format")
    outcome = lipcert("analyze", model, *options, "--json")
    document = json.loads(outcome.out)
    assert (outcome.code, document["summary"]["exit_code"]) == (2, 2)
    assert document["models"] == []
    assert words in document["errors"][0]["message"] + document["errors"][0]["hint"]


def test_every_long_option_reads_its_variable(lipcert, model, requests, monkeypatch):
    monkeypatch.setenv("LIPCERT_EPS", "0.25")
    monkeypatch.setenv("LIPCERT_NORM", "l2")
    monkeypatch.setenv("LIPCERT_INPUT_RANGE", "0,1")
    monkeypatch.setenv("LIPCERT_FORMAT", "json")
    outcome = lipcert("analyze", model)
    assert json.loads(outcome.out)["schema"] == "lipcert.report"
    assert requests[0].settings.eps == {"l2": (0.25,)}
    assert requests[0].input_range == (0.0, 1.0)
    lipcert("analyze", model, "--eps", "0.5")
    assert requests[1].settings.eps == {"l2": (0.5,)}


def _all_of(commands):
    for command in commands:
        if isinstance(command, Group):
            yield from _all_of(command.commands)
        else:
            yield command


def test_each_option_has_a_variable_of_its_name():
    def parameters(command):
        yield from command.params
        for each in getattr(command, "commands", {}).values():
            yield from parameters(each)

    for parameter in parameters(typer.main.get_command(app)):
        long = next((name for name in parameter.opts if name.startswith("--")), "--help")
        if parameter.name not in {"help", "_version_asked", "install_completion", "show_completion"}:
            expected = None if long == "--help" else "LIPCERT_" + long.removeprefix("--").replace("-", "_").upper()
            assert parameter.envvar == expected


def test_each_option_stands_in_the_table_once_and_some_command_takes_it():
    parts = ("ARGUMENTS", "SAMPLES", "COMPUTATION", "RESULT", "JUDGEMENT", "AUDIT")
    assert sum(len(getattr(every, f"_{part}")) for part in parts) == len(every.TABLE)
    taken = {name for command in _all_of(ROOT.commands) for name in command.options}
    assert set(every.TABLE) <= taken


def test_names_of_a_command_are_its_own():
    for command in _all_of(ROOT.commands):
        flags = [flag for name, option in command.options.items() for flag in option.names(name)]
        assert len(flags) == len(set(flags))
