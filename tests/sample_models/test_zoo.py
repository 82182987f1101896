"""The zoo: its files are there and score what their facts say, caps are certified, and the page is the audits' own."""

import dataclasses
import gzip
import json
import struct
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from lipcert.load.model import load_model
from lipcert.rules import LayerNorms
from sample_models.recipes.claims import CLAIMS, outcomes
from sample_models.recipes.data import load
from sample_models.recipes.evidence import evidence
from sample_models.recipes.results import readme
from sample_models.recipes.training import train
from sample_models.recipes.zoo import RECIPES, seeds

HOME = Path(__file__).resolve().parents[2] / "sample_models"
FACTS = json.loads((HOME / "zoo" / "facts.json").read_text())
AUDIT = json.loads((HOME / "zoo" / "audit.json").read_text())
QUICK = [name for name in FACTS if not FACTS[name]["files"][0].endswith(".pt2")]
CAPPED = [name for name in ("cap1.3_1", "pgm_cap2_0", "conv_cap2") if name in FACTS]


def _recipe(key):
    return key if key in RECIPES else key.rpartition("_")[0]


def test_every_net_belongs_to_a_recipe():
    for key, facts in FACTS.items():
        name = _recipe(key)
        seed = 0 if key == name else int(key.rpartition("_")[2])
        assert seed in seeds(name)
        assert tuple(facts["files"]) == RECIPES[name].files(name, seed)
        assert all((HOME / file).exists() for file in facts["files"])


@pytest.mark.parametrize("key", QUICK)
def test_a_net_scores_what_its_facts_say(key):
    facts = FACTS[key]
    with np.load(HOME / facts["data"]) as archive:
        inputs, labels = archive["images"].astype(np.float32) / facts["scale"], archive["labels"]
    path = HOME / facts["files"][0]
    if path.suffix == ".pt":
        with torch.no_grad():
            logits = torch.jit.load(path)(torch.from_numpy(inputs)).numpy()
    else:
        (logits,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": inputs})
    assert abs((logits.argmax(1) == labels).mean() - facts["clean_accuracy"]) < 1.5 / len(labels)


@pytest.mark.parametrize("key", CAPPED)
def test_a_capped_net_keeps_its_cap_with_certificate(key):
    beta = RECIPES[_recipe(key)].beta
    norms = LayerNorms(
        load_model(HOME / FACTS[key]["files"][0], input_shape=(1, 8, 8) if key.endswith("_1") else None).graph
    )
    layers = [node for node in norms.graph.nodes if norms.operator(node) is not None and node.parameter_names]
    assert len(layers) == len(FACTS[key]["capped"])
    assert max(norms.norm(node, "l2").upper for node in layers) <= beta * (1 + 1e-6)


def test_the_page_is_what_the_audits_found():
    pictures = {path.name: "" for path in (HOME / "zoo" / "plots").glob("*.svg")}
    page = (HOME / "README.md").read_text(encoding="utf-8")
    assert all(f"zoo/plots/{name}" in page for name in pictures)
    expected, _, _ = readme(AUDIT, FACTS, {}).partition("## Plots")
    assert page.partition("## Plots")[0] == expected


def test_good_nets_are_certified_as_asked():
    assert AUDIT["mnist_l2"]["certified_l2_0.5"] >= 0.80
    assert AUDIT["mnist_linf"]["certified_linf_0.05"] >= 0.93


@pytest.mark.parametrize("key", [name for name in FACTS if "validation" in FACTS[name]])
def test_a_chosen_cap_is_the_best_on_the_images_held_out(key):
    facts = FACTS[key]
    scores = {entry["beta"]: entry["accuracy"] for entry in facts["validation"]}
    assert tuple(scores) == RECIPES[_recipe(key)].betas
    assert scores[facts["beta"]] == max(scores.values())
    assert all(norm <= facts["beta"] * (1 + 1e-6) for norm in facts.get("capped", {}).values())


def test_claims_are_told_apart():
    names = [claim.id for claim in CLAIMS]
    assert len(set(names)) == len(names)
    judged = {one.claim.id: one for one in outcomes({"pgm_0": {"robust_l2_0.6": 0.5}, "fgm_0": {"robust_l2_0.6": 0.4}})}
    assert judged["F4"].verdict == "reappears (one seed)"
    assert judged["W1a"].verdict == "not measured"
    swapped = {"pgm_0": {"robust_l2_0.6": 0.4}, "fgm_0": {"robust_l2_0.6": 0.4}}
    assert next(one for one in outcomes(swapped) if one.claim.id == "F4").verdict == "does not reappear"


@pytest.mark.slow
@pytest.mark.parametrize("key", [name for name in ("standard_0", "pgm_1") if name in AUDIT])
def test_an_audit_can_be_repeated(key, tmp_path):
    from sample_models.recipes.auditing import Audit, _run

    plan = Audit(HOME, None)
    plan.reports = tmp_path
    plan.prepare()
    report, line = next((path, line) for path, line in plan.commands([_recipe(key)]) if path.name == f"{key}.test.json")
    _run((report, line))
    again = evidence(json.loads(report.read_text())["models"][0], "test")
    assert again["clean"] == AUDIT[key]["clean"]
    assert again["robust_l2_0.6"] == pytest.approx(AUDIT[key]["robust_l2_0.6"], abs=0.02)
    assert again["sigma1"] == pytest.approx(AUDIT[key]["sigma1"], rel=1e-4)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.folder == "zoo"])
def test_a_recipe_takes_a_step(name):
    """Whatever a recipe declares fits its net: two steps of it change every weight, and nothing is left capped."""
    recipe = dataclasses.replace(RECIPES[name], epochs=1, batch=4)
    shape = (1, 28, 28) if recipe.data == "mnist" else (1, 8, 8)
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.rand(8, *shape, generator=generator), torch.arange(8)
    net = recipe.net()
    before = [parameter.detach().clone() for parameter in net.parameters()]
    train(net, inputs, labels, recipe, generator)
    after = list(net.parameters())
    assert not net.training
    assert len(after) == len(before)
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_are_read(suffix, tmp_path):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    files = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": np.array([7, 2], np.uint8)}
    for name, array in files.items():
        content = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
        (tmp_path / f"{name}{suffix}").write_bytes(gzip.compress(content) if suffix else content)
    split = load(tmp_path / f"train-images-idx3-ubyte{suffix}")
    assert np.array_equal(split.images[:, 0], images)
    assert split.labels.tolist() == [7, 2]
