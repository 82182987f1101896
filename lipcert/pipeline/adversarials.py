"""The worst inputs that attacks found, kept for others to look at and to run again."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lipcert.analyses.robustness import Attacked, Robustness
from lipcert.errors import EnclosureError
from lipcert.pipeline.adversarials_format import SCHEMA, SUFFIX, VERSION, sheet_of
from lipcert.pipeline.sheet import draw_sheet, is_picture
from lipcert.pipeline.whole_file import write_whole
from lipcert.samples import Samples


def write_adversarials(robustness: Robustness, samples: Samples, path: Path) -> None:
    """Write the worst input of each sample in every ball, and for images a sheet beside it. Raises LipcertError."""
    data = as_archive(robustness, samples)
    verify(data, robustness)
    write_whole(path, data)
    if is_picture(tuple(samples.inputs.shape[1:])):
        sheet = draw_sheet(robustness, samples)
        if sheet is not None:
            write_whole(sheet_of(path), sheet)


def as_archive(robustness: Robustness, samples: Samples) -> bytes:
    """An .npz archive: `schema`, `clean`, `labels`, and for each ball columns like `inputs[norm=linf,eps=0.1]`.

    inputs    the worst input found of each sample, the clean one where nothing worse was found
    margin    of it, by the judge of the attacks; an error where it is not positive
    distance  of it from the clean sample, in the ball's norm
    found     which attack found it
    """
    labels = samples.labels
    arrays: dict[str, Any] = {"clean": robustness.clean.inputs.cpu().numpy()}
    if labels is not None:
        arrays["labels"] = labels.cpu().numpy()
    for one in robustness.attacked:
        outcome, where = one.outcome, selector(one)
        arrays[f"inputs{where}"] = outcome.inputs.cpu().numpy()
        arrays[f"margin{where}"] = outcome.margin.cpu().numpy()
        arrays[f"distance{where}"] = one.ball.distance(outcome.inputs, robustness.clean.inputs).cpu().numpy()
        arrays[f"found{where}"] = np.array(outcome.found)
    stream = io.BytesIO()
    np.savez(stream, schema=np.array(f"{SCHEMA} {VERSION}".encode()), **arrays)
    return stream.getvalue()


def selector(one: Attacked) -> str:
    """A ball as in the ids of metrics: [norm=linf,eps=0.1]."""
    return f"[norm={one.ball.norm},eps={one.ball.eps!r}]"


def verify(data: bytes, robustness: Robustness) -> None:
    """Read an archive back and check that every input is in its ball and in the input range."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        clean = torch.from_numpy(stored["clean"])
        for one in robustness.attacked:
            inside = one.ball.contains(torch.from_numpy(stored[f"inputs{selector(one)}"]), clean)
            if not inside.all():
                index = int((~inside).nonzero()[0])
                raise EnclosureError(
                    f"the adversarial input of sample {index} lies outside {one.ball.norm} {one.ball.eps}",
                    hint=f"This is a bug in lipcert; no {SUFFIX} file was written. Please report it.",
                )
