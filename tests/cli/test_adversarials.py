"""Adversarial inputs go where they may go, and nowhere else."""

import pytest


@pytest.mark.parametrize("name", ["found.png", "found", "found.npz.gz"])
def test_another_suffix_is_refused_before_the_work(lipcert, model, requests, tmp_path, name):
    outcome = lipcert("analyze", model, "--save-adversarials", tmp_path / name)
    assert outcome.code == 2
    assert ".npz" in outcome.err
    assert not requests


def test_the_file_is_passed_on(lipcert, model, requests, tmp_path):
    assert lipcert("analyze", model, "--save-adversarials", tmp_path / "found.npz").code == 0
    assert requests[0].adversarials == tmp_path / "found.npz"


@pytest.mark.parametrize("name", ["found.npz", "found.png"])
def test_a_foreign_file_stays_beside_it_too(lipcert, model, requests, tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    outcome = lipcert("analyze", model, "--save-adversarials", tmp_path / "found.npz")
    assert outcome.code == 2
    assert name in outcome.err
    assert not requests
    assert lipcert("analyze", model, "--save-adversarials", tmp_path / "found.npz", "--overwrite").code == 0


@pytest.mark.parametrize("place", ["folder.npz", "nowhere/found.npz"])
def test_a_place_that_cannot_hold_a_file_is_refused(lipcert, model, requests, tmp_path, place):
    (tmp_path / "folder.npz").mkdir()
    assert lipcert("analyze", model, "--save-adversarials", tmp_path / place).code == 2
    assert not requests


def test_two_results_do_not_share_a_file(lipcert, model, requests, tmp_path):
    path = tmp_path / "both.npz"
    assert lipcert("analyze", model, "--save-adversarials", path, "--per-sample", path).code == 2
    assert not requests
