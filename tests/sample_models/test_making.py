"""Making a net: a cap is chosen by what the images held out say, and one command makes, audits and tells."""

import dataclasses
import json

import pytest
import torch

from lipcert.training import PgmExamples
from sample_models.recipes.__main__ import main
from sample_models.recipes.data import digits
from sample_models.recipes.making import _choose, _train
from sample_models.recipes.recipe import SCALES
from sample_models.recipes.training import accuracy, attacked
from sample_models.recipes.zoo import RECIPES

BETAS = (0.4, 1.3, None)


@pytest.fixture(scope="module")
def grid():
    recipe = dataclasses.replace(RECIPES["pgm"], epochs=3, betas=BETAS, adversary=PgmExamples(eps=0.6, steps=2))
    training, held_out = digits(0)[0].first(200), digits(0)[0].after(200, 100)
    batch = training.inputs(SCALES["digits"]), training.targets()
    steps = []
    found = _choose(recipe, 0, batch, held_out, lambda done, total: steps.append((done, total)))
    return recipe, batch, held_out, found, steps


def test_the_chosen_cap_withstands_the_attack_best_on_images_held_out(grid):
    recipe, _, held_out, ((net, layers), told), _ = grid
    scores = {entry["beta"]: entry["accuracy"] for entry in told["validation"]}
    assert tuple(scores) == BETAS
    assert scores[told["beta"]] == max(scores.values()) > min(scores.values())
    inputs, labels = held_out.inputs(SCALES["digits"]), held_out.targets()
    points = attacked(net, inputs, labels, recipe.adversary, torch.Generator().manual_seed(0))
    assert accuracy(net, points, labels) == scores[told["beta"]]
    assert [layer.beta for layer in layers] == ([] if told["beta"] is None else [told["beta"]] * 3)


def test_the_chosen_net_is_the_net_of_its_cap_alone(grid):
    recipe, batch, _, ((net, _), told), _ = grid
    alone, _ = _train(dataclasses.replace(recipe, beta=told["beta"], betas=()), 0, *batch, lambda _done, _total: None)
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), alone.parameters(), strict=True))


def test_progress_runs_through_the_whole_grid(grid):
    *_, steps = grid
    done, total = zip(*steps, strict=True)
    assert sorted(done) == list(done)
    assert done[-1] == total[-1] == len(BETAS) * 3 * (200 // 50)


def test_images_held_out_are_none_that_were_trained_on():
    split = digits(0)[0]
    assert (split.after(200, 100).images[0] == split.images[200]).all()
    assert len(split.after(200, 100).labels) == 100


@pytest.mark.slow
def test_one_command_makes_one_audits_and_one_tells(tmp_path):
    wanted = ["--output", str(tmp_path), "--only", "standard", "--only", "cap2"]
    main(["make", *wanted, "--seed", "0", "--seed", "1"])
    facts = json.loads((tmp_path / "zoo" / "facts.json").read_text())
    assert list(facts) == ["standard_0", "standard_1", "cap2_0", "cap2_1"]
    written = {key: (tmp_path / found["files"][0]).read_bytes() for key, found in facts.items()}
    main(["make", *wanted, "--seed", "0", "--jobs", "1"])
    assert (tmp_path / facts["cap2_0"]["files"][0]).read_bytes() == written["cap2_0"]
    main(["audit", *wanted])
    main(["tables", "--output", str(tmp_path)])
    page = (tmp_path / "README.md").read_text()
    assert "| cap2 | 2 |" in page
    assert "not measured" in page
