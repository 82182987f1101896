"""Files of adversarial inputs hold what they claim, and the sheet is a picture."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch

from lipcert.analyses.robustness import analyze_robustness
from lipcert.attacks import Ball, Target
from lipcert.cli.adversarials import is_archive, is_sheet
from lipcert.errors import EnclosureError, LipcertError
from lipcert.pipeline.adversarials import as_archive, selector, verify, write_adversarials
from lipcert.pipeline.demands import check_demands
from lipcert.pipeline.png import encode_png
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.pipeline.sheet import draw_sheet, is_picture
from lipcert.records import AnalyzeSettings
from lipcert.samples import Samples
from tests import graphs

EPS = {"linf": (0.1, 0.3), "l2": (0.8,)}


@pytest.fixture(scope="module")
def attacked():
    graph = graphs.conv()
    clean = graphs.uniform(8, 2, 6, 6)
    labels = graph(clean).argmax(dim=1)
    target = Target(classify=graph, scorer=graph, clean=clean, labels=labels)
    robustness = analyze_robustness(target, EPS, input_range=(0.0, 1.0), effort="fast")
    return graph, robustness, Samples(inputs=clean, labels=labels, input_range=(0.0, 1.0))


def test_what_is_read_back_is_in_the_ball_and_misclassified(attacked):
    graph, robustness, samples = attacked
    stored = np.load(io.BytesIO(as_archive(robustness, samples)), allow_pickle=False)
    assert stored["schema"].item() == b"lipcert.adversarials 1.0"
    for one in robustness.attacked:
        where = selector(one)
        inputs = torch.from_numpy(stored[f"inputs{where}"])
        wrong = torch.from_numpy(stored[f"margin{where}"]) <= 0
        assert Ball(norm=one.ball.norm, eps=one.ball.eps, input_range=(0.0, 1.0)).contains(inputs, samples.inputs).all()
        assert (graph(inputs[wrong]).argmax(dim=1) != samples.labels[wrong]).all()
        assert (stored[f"distance{where}"] <= one.ball.eps).all()
        assert len(stored[f"found{where}"]) == len(samples)
    assert any((stored[f"margin{selector(one)}"] <= 0).any() for one in robustness.attacked)


def test_an_input_outside_its_ball_is_not_written(attacked):
    _, robustness, samples = attacked
    arrays = dict(np.load(io.BytesIO(as_archive(robustness, samples)), allow_pickle=False))
    arrays[f"inputs{selector(robustness.attacked[0])}"] += 0.5
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    with pytest.raises(EnclosureError, match="sample 0"):
        verify(stream.getvalue(), robustness)


def test_files_are_known_again(attacked, tmp_path):
    _, robustness, samples = attacked
    pictures = Samples(inputs=samples.inputs[:, :1], labels=samples.labels, input_range=samples.input_range)
    path = tmp_path / "found.npz"
    write_adversarials(robustness, samples, path)
    assert is_archive(path)
    assert not path.with_suffix(".png").exists()
    assert is_picture(tuple(pictures.inputs.shape[1:]))
    assert not is_picture(tuple(samples.inputs.shape[1:]))
    path.write_bytes(b"PK\x03\x04 something else")
    assert not is_archive(path)


@pytest.mark.parametrize("shape", [(6, 6), (1, 6, 6), (3, 6, 5), (6, 5, 3)])
def test_a_sheet_shows_what_was_broken(shape, tmp_path):
    size = int(np.prod(shape))
    graph = graphs.mlp_of([(graphs.random(3, size), torch.zeros(3))])
    classify = lambda x: graph(x.flatten(1))  # noqa: E731
    clean = graphs.uniform(5, *shape)
    target = Target(classify=classify, scorer=classify, clean=clean, labels=classify(clean).argmax(dim=1))
    samples = Samples(inputs=clean, labels=target.labels, input_range=(0.0, 1.0))
    robustness = analyze_robustness(target, {"linf": (0.3,)}, input_range=(0.0, 1.0), effort="fast")
    sheet = draw_sheet(robustness, samples)
    (tmp_path / "sheet.png").write_bytes(sheet)
    assert is_sheet(tmp_path / "sheet.png")
    width, height = struct.unpack(">II", sheet[16:24])
    assert width > 3 * 60
    assert height > 60


def test_a_picture_survives():
    for shape in [(3, 5), (4, 2, 3)]:
        pixels = torch.arange(int(np.prod(shape)), dtype=torch.uint8).reshape(shape)
        data = encode_png(pixels, comment="words")
        start = data.index(b"IDAT") + 4
        length = struct.unpack(">I", data[start - 8 : start - 4])[0]
        rows = np.frombuffer(zlib.decompress(data[start : start + length]), dtype=np.uint8).reshape(shape[0], -1)
        assert (rows[:, 0] == 0).all()
        assert (rows[:, 1:] == pixels.reshape(shape[0], -1).numpy()).all()
        assert b"Comment\0words" in data


def test_other_tensors_are_no_pictures():
    with pytest.raises(ValueError, match="uint8"):
        encode_png(torch.zeros(3, 3))


@pytest.mark.parametrize("given", ["no attacks", "no labels", "no samples"])
def test_without_attacks_there_is_nothing_to_save(given, tmp_path):
    analyses = ("margins",) if given == "no attacks" else ("robustness",)
    settings = AnalyzeSettings(analyses=analyses)
    request = AnalyzeRequest(model=tmp_path / "x", adversarials=tmp_path / "x.npz", settings=settings)
    labels = None if given == "no labels" else torch.zeros(2, dtype=torch.long)
    samples = None if given == "no samples" else Samples(inputs=torch.zeros(2, 3), labels=labels)
    with pytest.raises(LipcertError, match="save-adversarials"):
        check_demands(request, samples)
