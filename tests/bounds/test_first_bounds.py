"""Bounds of whole nets on the models that ship with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.load.model import load_model


@pytest.mark.parametrize("deploy_dtype", ["real", "float32", "bfloat16"])
def test_corners_of_the_box_stay_inside(sample_models: Path, deploy_dtype: str) -> None:
    graph = load_model(sample_models / "digits_mlp.onnx").graph
    with np.load(sample_models / "digits_test.npz") as data:
        image = next(data[name] for name in data.files if data[name].ndim > 2)
    x = torch.from_numpy(image[:8]).reshape(8, *graph.input_shape).double() / float(max(1.0, image.max()))
    labels = graph(x.float()).argmax(1)
    region = Region(x, "linf", torch.full((8,), 0.02, dtype=torch.float64), (0.0, 1.0))
    bounder = Bounder(graph, deploy_dtype=deploy_dtype)
    lower = bounder.margins(region, labels)
    boxes = bounder.refine(region)[bounder.nodes[-1]]
    box, generator = region.interval(), torch.Generator().manual_seed(0)
    for _ in range(50):
        side = torch.rand(x.shape, generator=generator) < 0.5
        logits = graph.to(dtype=torch.float64)(torch.where(side, box.lower, box.upper))
        assert ((logits.gather(1, labels[:, None]) - logits) >= lower).all()
        assert ((logits >= boxes.lower) & (logits <= boxes.upper)).all()
    assert (lower.scatter(1, labels[:, None], 1.0).amin(1) > 0).any()
