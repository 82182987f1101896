"""The README of the sample models, written from what the audits found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sample_models.recipes.claim import Evidence, Outcome
from sample_models.recipes.claims import outcomes
from sample_models.recipes.plots import draw
from sample_models.recipes.recipe import VALIDATION
from sample_models.recipes.zoo import DIGITS, DIGITS_CONV, L2, LINF, MNIST, MNIST_L2, MNIST_PGM, ROBUST, SEEDS, keys_of

_PAPERS = {
    "W": "Wu & Li, arXiv 2412.12449",
    "R": "Roth, Kilcher & Hofmann, arXiv 1906.01527",
    "F": "Farnia, Zhang & Tse, arXiv 1811.07457",
    "G": "Guo, Chen, Li & Zhang, arXiv 2007.02209",
    "C": "certificates",
}
_COLUMNS = {
    "clean": "clean",
    f"robust_l2_{L2:g}": f"l2 {L2:g}",
    f"robust_linf_{LINF:g}": f"linf {LINF:g}",
    "certified_l2_0.15": "certified l2 .15",
    "sigma1": "sigma_1",
    "frobenius": "F norm",
    "l1_entries": "l1 entries",
    "lipschitz": "Lipschitz",
    f"gap_robust_loss_l2_{L2:g}": "gap of loss",
    f"gap_robust_accuracy_l2_{L2:g}": "gap of accuracy",
}
_SHARES = ("clean", "robust", "certified", "gap_robust_accuracy", "train_robust_accuracy")


def write_results(home: Path) -> None:
    """README.md and the plots, from zoo/audit.json."""
    found, facts = (json.loads((home / "zoo" / name).read_text()) for name in ("audit.json", "facts.json"))
    pictures = draw(found, home / "zoo" / "plots")
    (home / "README.md").write_text(readme(found, facts, pictures), encoding="utf-8")


def readme(found: Evidence, facts: Evidence, pictures: Mapping[str, str]) -> str:
    """The whole page.

    found     what the audits say of each net
    facts     what making each net came to
    pictures  file name below zoo/plots -> what it shows
    """
    judged = outcomes(found)
    parts = [
        _HEAD,
        "## What good looks like\n",
        _robust(found),
        "## The claims\n",
        _CLAIMS,
        *_claims(judged, found),
        "## The zoo\n",
        _ZOO.format(l2=L2, linf=LINF),
        _table(found, DIGITS, _COLUMNS),
        "The convolutional net, seed 0:\n",
        _table(found, DIGITS_CONV, _COLUMNS),
        *_mnist(found),
        *_chosen(found, facts),
        "## Plots\n",
        *(f"{words}\n\n![{words}](zoo/plots/{name})\n" for name, words in pictures.items()),
    ]
    return "\n".join(parts).rstrip() + "\n"


_HEAD = """# Sample models

Nets to try lipcert on, and a zoo of nets trained the ways the papers propose. This page is written by
`python -m sample_models.recipes tables` from what `lipcert analyze` reported on the files; nothing in it is typed in.

```console
$ python -m sample_models.recipes make      # train and write every net there are data for
$ python -m sample_models.recipes audit     # lipcert analyze on every net of the zoo
$ python -m sample_models.recipes tables    # this page
```

`recipes/zoo.py` declares how each net is made. MNIST nets need `--mnist-train` and `--mnist-test`, .npz or IDX files
of MNIST; digits come with scikit-learn. A seed decides a net's format: 0 ONNX, 1 TorchScript, 2 `.pt2`. Digits are
stored from 0 to 16: analyse them with `--scale 16 --input-range 0,1`. `ATTRIBUTION.md` names the data.
"""

_CLAIMS = """Each claim is that the left number is above the right one, at the same seed; it *reappears* where all
seeds say so. Two of two would come about by chance once in four, three of three once in eight. Nets are those below.
"""

_CAPS = """PGM training on MNIST, l2 {eps:g}, with every layer's spectral norm capped at beta by re-parametrisation.
Accuracy under the training's attack on {count} images held out, in per cent; the best beta of each seed is bold:
"""

_ZOO = """Multilayer perceptrons 64-100-100-10 with ReLU on 1,000 digits, mean and range over the seeds. Accuracies in
per cent, on 450 test images: clean, under attack at l2 {l2:g} and linf {linf:g} (effort fast), and certified. Jacobian
norms are means over test images. Gaps are between training and test, under l2 attack.
"""


def _robust(found: Evidence) -> str:
    rows = []
    for name, (norm, eps) in (("mnist_l2", ("l2", "0.5")), ("mnist_linf", ("linf", "0.05"))):
        if name in found and f"certified_{norm}_{eps}" in found[name]:
            one = found[name]
            shares = (one["clean"], one[f"certified_{norm}_{eps}"])
            files = ROBUST[name].files(name, 0)
            rows.append([f"`{files[0]}`", f"{norm} {eps}", *(f"{100 * share:.1f}" for share in shares)])
    return _grid(["MNIST net, 1,000 test images", "ball", "clean %", "certified %"], rows)


def _claims(judged: Iterable[Outcome], found: Evidence) -> list[str]:
    parts = []
    for letter, paper in _PAPERS.items():
        mine = [one for one in judged if one.claim.paper == letter and one.claim.expected]
        rows = [[one.claim.id, one.claim.says, _versus(one), _numbers(one), one.verdict] for one in mine]
        parts.append(f"### {paper}\n")
        parts.append(_grid(["", "claim", "nets", "left > right, by seed", ""], rows))
        if letter == "G":
            parts.append(_relations(found))
    others = [one for one in judged if not one.claim.expected]
    rows = [[one.claim.id, one.claim.says, _versus(one), _numbers(one), one.verdict] for one in others]
    parts.append("### Facts that a smaller study did not find again\n")
    parts.append(_grid(["", "claim", "nets", "left > right, by seed", ""], rows))
    return parts


def _relations(found: Evidence) -> str:
    """G1, over all nets at once."""
    audited = [one for one in found.values() if "relations" in one]
    held = sum(one["relations"] == 1.0 for one in audited)
    worst = max((one["identities"] for one in audited), default=0.0)
    return (
        f"G1: every identity and inequality between the functionals holds in {held} of {len(audited)} audits; the\n"
        f"worst relative error of an identity is {worst:.1e}.\n"
    )


def _versus(one: Outcome) -> str:
    left, right = one.claim.nets
    return left if left == right else f"{left} > {right}"


def _numbers(one: Outcome) -> str:
    return "<br>".join(f"{left:.4g} {'>' if left > right else '<='} {right:.4g}" for left, right in one.numbers)


def _mnist(found: Evidence) -> list[str]:
    columns = {
        "clean": "clean",
        f"robust_l2_{MNIST_L2:g}": f"l2 {MNIST_L2:g}",
        f"robust_linf_{LINF:g}": f"linf {LINF:g}",
        "frobenius": "F norm",
        "gap_clean_loss": "gap of clean loss",
        f"gap_robust_loss_l2_{MNIST_L2:g}": "gap of loss under attack",
    }
    if not any(f"{name}_0" in found for name in MNIST):
        return []
    return [
        "784-64-64-10 on 5,000 MNIST images:\n",
        _table(found, MNIST, columns),
    ]


def _chosen(found: Evidence, facts: Evidence) -> list[str]:
    """Caps of PGM training on MNIST: what each came to on the images held out, and what the chosen one gives."""
    tried = [facts[key] for key in keys_of("mnist_pgm_chosen") if key in facts]
    if not tried:
        return []
    rows = [
        ["none" if beta is None else f"{beta:g}", *(_validation(one, beta) for one in tried)]
        for beta in (entry["beta"] for entry in tried[0]["validation"])
    ]
    columns = {
        "clean": "clean",
        f"train_robust_accuracy_l2_{MNIST_L2:g}": f"l2 {MNIST_L2:g}, training",
        f"robust_l2_{MNIST_L2:g}": f"l2 {MNIST_L2:g}, test",
        f"gap_robust_accuracy_l2_{MNIST_L2:g}": "gap of accuracy",
        f"gap_robust_loss_l2_{MNIST_L2:g}": "gap of loss",
        "frobenius": "F norm",
    }
    return [
        _CAPS.format(eps=MNIST_L2, count=VALIDATION),
        _grid(["beta", *(f"seed {seed}" for seed in SEEDS[: len(tried)])], rows),
        "What the nets come to on test images, audited from their files:\n",
        _table(found, MNIST_PGM, columns),
    ]


def _validation(facts: Mapping[str, Any], beta: float | None) -> str:
    share = next(entry["accuracy"] for entry in facts["validation"] if entry["beta"] == beta)
    shown = f"{100 * share:.1f}"
    return f"**{shown}**" if facts["beta"] == beta else shown


def _table(found: Evidence, names: Iterable[str], columns: Mapping[str, str]) -> str:
    rows = []
    for name in names:
        known = [found[key] for key in keys_of(name) if key in found and "clean" in found[key]]
        if known:
            rows.append([name, str(len(known)), *(_cell(known, column) for column in columns)])
    return _grid(["net", "seeds", *columns.values()], rows)


def _cell(known: list[Mapping[str, Any]], column: str) -> str:
    values = [float(one[column]) for one in known if column in one]
    if not values:
        return ""
    share = column.startswith(_SHARES)
    shown = [100 * value if share else value for value in values]
    mean = sum(shown) / len(shown)
    text = f"{mean:.1f}" if share else f"{mean:.3g}"
    if len(shown) == 1 or min(shown) == max(shown):
        return text
    return f"{text} ({min(shown):.3g} to {max(shown):.3g})"


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"
