"""`lipcert certify`: verdicts, exit codes, documents, and counterexamples that stand up."""

import gzip
import json
import math
import re

import jsonschema
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from lipcert.records import codec

SCHEMA = codec.json_schema("certify")


def strict(text):
    document = json.loads(text, parse_constant=pytest.fail)
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    return document


def save(path, layers, *, shape, last=()):
    """A fully connected ReLU net as ONNX, its input of a given shape with batch 1."""
    nodes, values, name = [helper.make_node("Flatten", ["x"], ["h"])], [], "h"
    for i, (weight, bias) in enumerate(layers):
        values += [numpy_helper.from_array(np.float32(v), f"{k}{i}") for k, v in (("w", weight), ("b", bias))]
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"z{i}"], transB=1))
        name = f"z{i}"
        if i < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [name], [f"a{i}"]))
            name = f"a{i}"
    for op in last:
        nodes.append(helper.make_node(op, [name], [f"{name}_"]))
        name += "_"
    ends = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        for n, s in (("x", [1, *shape]), (name, [1, len(layers[-1][1])]))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def absolute(tmp_path):
    """y = |x0| + |x1|, a regression: its one output is no score."""
    first = [[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0]
    return save(tmp_path / "absolute.onnx", [first, ([[1, 1, 1, 1]], [0])], shape=(1, 1, 2))


def declare(inputs, outputs):
    names = [f"X_{i}" for i in range(inputs)] + [f"Y_{i}" for i in range(outputs)]
    return "".join(f"(declare-const {name} Real)\n" for name in names)


def spec(path, ends, formula, outputs=1):
    bounds = "".join(f"(assert (>= X_{i} {low}))\n(assert (<= X_{i} {high}))\n" for i, (low, high) in enumerate(ends))
    path.write_text(declare(len(ends), outputs) + bounds + f"(assert {formula})\n")
    return path


BOX = ((-1, 1), (-0.5, 1))


@pytest.mark.parametrize(
    ("ends", "formula", "verdict"),
    [
        (BOX, "(>= Y_0 2.0001)", "unsat"),
        (BOX, "(>= Y_0 1.99)", "sat"),
        (BOX, "(<= Y_0 -0.001)", "unsat"),
        (BOX, "(<= Y_0 0.01)", "sat"),
        (((0.5, 1), (0.1, 0.1)), "(<= Y_0 0.599)", "unsat"),
        (((0.5, 1), (0.1, 0.1)), "(<= Y_0 0.601)", "sat"),
        (BOX, "(and (>= Y_0 0.7) (<= Y_0 0.6))", "unsat"),
        (BOX, "(and (>= Y_0 0.6) (<= Y_0 0.7))", "sat"),
        (BOX, "(or (>= Y_0 3) (and (<= (* 2 Y_0) -1) (>= Y_0 -7)))", "unsat"),
        (BOX, "(or (and (>= X_0 0.9) (<= Y_0 0.8)) (and (<= X_0 -0.9) (<= Y_0 0.8)))", "unsat"),
        (BOX, "(or (and (>= X_0 0.9) (<= Y_0 0.8)) (and (<= X_0 -0.5) (<= Y_0 0.8)))", "sat"),
        (BOX, "(and (>= X_0 2) (>= Y_0 0))", "unsat"),
    ],
)
def test_verdicts_on_a_net_whose_range_is_known(lipcert, absolute, tmp_path, ends, formula, verdict):  # noqa: PLR0917  fixtures
    outcome = lipcert("certify", absolute, spec(tmp_path / "p.vnnlib", ends, formula), "-q")
    assert outcome.code == {"unsat": 0, "sat": 1}[verdict], outcome.err
    assert outcome.out.splitlines()[0] == verdict
    assert outcome.err == ""


def test_a_counterexample_stands_up_in_the_original_runtime(lipcert, absolute, tmp_path):
    # 0.1 and 0.3 are no float32: what is printed lies in the box, and what the runtime makes of it violates.
    prop = spec(tmp_path / "p.vnnlib", ((0.1, 0.1), (0.3, 0.3)), "(<= Y_0 0.5)")
    text = lipcert("certify", absolute, prop).out
    assert text.startswith("sat\n((X_0 0.1)\n(X_1 0.3)\n(Y_0 ")
    assert text.endswith("))\n")
    document = strict(lipcert("certify", absolute, prop, "--json").out)
    found = document["counterexample"]
    printed = {name: float(value) for name, value in re.findall(r"\((\w_\d+) ([^)]+)\)", text)}
    assert list(printed.values()) == [*found["inputs"], *found["outputs"]]
    session = onnxruntime.InferenceSession(absolute)
    (again,) = session.run(None, {"x": np.float32(found["inputs"]).reshape(1, 1, 1, 2)})
    assert again.flatten().tolist() == found["outputs"]
    assert found["outputs"][0] <= 0.5
    assert found["runtime"].startswith("onnxruntime")


def test_the_document_tells_what_was_asked_and_found(lipcert, absolute, tmp_path):
    prop = spec(tmp_path / "p.vnnlib", BOX, "(or (>= Y_0 3) (<= Y_0 -1))")
    packed = tmp_path / "p.vnnlib.gz"
    packed.write_bytes(gzip.compress(prop.read_bytes()))
    outcome = lipcert("certify", absolute, packed, "-f", "json", "--deploy-dtype", "real", "--effort", "high")
    document = strict(outcome.out)
    assert (outcome.code, document["exit_code"], document["verdict"]) == (0, 0, "unsat")
    assert document["property"]["boxes"] == 1
    assert document["property"]["alternatives"] == 2
    assert document["counterexample"] is None
    assert document["settings"]["deploy_dtype"] == "real"
    assert "real arithmetic" in document["statement"]
    assert document["fidelity"]["status"] == "faithful"
    assert "proved" in outcome.err


def test_without_cutting_a_hard_property_stays_unknown(lipcert, absolute, tmp_path):
    # |x0| + |x1| <= 2 takes both signs of both inputs apart.
    prop = spec(tmp_path / "p.vnnlib", ((-1, 1), (-1, 1)), "(<= Y_0 -0.0001)")
    steep = spec(tmp_path / "q.vnnlib", ((-1, 2), (-1, 2)), "(and (>= Y_0 0.5) (<= Y_0 -0.5))")
    codes = [lipcert("certify", absolute, path, "--effort", "fast", "-q").out for path in (prop, steep)]
    assert set(codes) <= {"unsat\n", "unknown\n"}
    outcome = lipcert("certify", absolute, spec(tmp_path / "r.vnnlib", BOX, "(>= Y_0 2.0001)"), "--effort", "fast")
    assert (outcome.code, outcome.out) in {(0, "unsat\n"), (3, "unknown\n")}


def test_time_that_runs_out_is_a_timeout(lipcert, absolute, tmp_path):
    prop = spec(tmp_path / "p.vnnlib", BOX, "(>= Y_0 2.0001)")
    outcome = lipcert("certify", absolute, prop, "--timeout", "0.001", "--json")
    document = strict(outcome.out)
    assert (outcome.code, document["verdict"]) == (3, "timeout")
    assert "time ran out" in document["reason"]


def test_a_softmax_is_part_of_the_outputs(lipcert, tmp_path):
    # softmax(x, 0) at x in [-1, 1]: the first output lies in [0.2689, 0.7311].
    net = save(tmp_path / "soft.onnx", [([[1], [0]], [0, 0])], shape=(1,), last=("Softmax",))
    share = 1 / (1 + math.exp(-1))
    for bound, verdicts in ((share + 0.01, {"unsat", "unknown"}), (share - 0.01, {"sat"})):
        prop = spec(tmp_path / "p.vnnlib", ((-1, 1),), f"(>= Y_0 {bound})", outputs=2)
        assert lipcert("certify", net, prop, "-q").out.splitlines()[0] in verdicts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(declare-const X_0 Real)", "0 outputs"),
        ("(assert (<= X_0", "never closed"),
        (declare(2, 1) + "(assert (<= X_0 Y_0))", "inputs with outputs"),
        (declare(1, 1) + "(assert (<= X_0 1))(assert (>= X_0 0))(assert (<= Y_0 1))", "declares 1 input"),
        (declare(2, 2) + "(assert (and (<= X_0 1) (>= X_0 0) (<= X_1 1) (>= X_1 0) (<= Y_0 1)))", "declares 2 outputs"),
        (None, "cannot be read"),
    ],
)
def test_a_property_that_is_not_read_is_a_usage_error(lipcert, absolute, tmp_path, text, words):
    path = tmp_path / "p.vnnlib"
    if text is not None:
        path.write_text(text)
    outcome = lipcert("certify", absolute, path)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.out == ""


def test_a_broken_model_is_unknown_in_both_forms(lipcert, tmp_path, model):
    prop = spec(tmp_path / "p.vnnlib", BOX, "(>= Y_0 1)")
    plain = lipcert("certify", model, prop)
    assert (plain.code, plain.out) == (3, "unknown\n")
    document = strict(lipcert("certify", model, prop, "--json").out)
    assert document["verdict"] == "unknown"
    assert document["errors"][0]["code"].startswith("model.")


def test_a_result_file_may_be_written_again(lipcert, absolute, tmp_path):
    prop, result = spec(tmp_path / "p.vnnlib", BOX, "(>= Y_0 1)"), tmp_path / "result.txt"
    for _ in range(2):
        assert lipcert("certify", absolute, prop, "-o", result).code == 1
    assert result.read_text().startswith("sat\n((X_0 ")
    result.write_text("my own notes")
    assert lipcert("certify", absolute, prop, "-o", result).code == 2


def test_the_schema_is_printed_as_shipped(lipcert):
    assert lipcert("schema", "certify").out == codec.schema_text("certify")
    outcome = lipcert("schema", "certifi")
    assert (outcome.code, "certify" in outcome.err) == (2, True)
