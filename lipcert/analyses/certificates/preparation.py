"""What a certifier needs, put together from a graph, its samples and the constants known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod

import torch
from torch import Tensor

from lipcert.analyses.base import PRODUCT, UpperConstants, logits_of
from lipcert.analyses.certificates.certifier import Certifier
from lipcert.analyses.certificates.deployed import deployed_error
from lipcert.analyses.certificates.ladder import BATCH, Ladder
from lipcert.analyses.certificates.lipschitz import LipschitzRadii, lipschitz_radii
from lipcert.analyses.certificates.standing import Standing
from lipcert.bounds.bounder import Bounder
from lipcert.bounds.memory import DEFAULT_MEMORY
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph
from lipcert.graph.scores import margins
from lipcert.progress import Progress, silent
from lipcert.records import AnalyzeSettings, Norm, Skipped
from lipcert.rules.forward_error import bounded_logits
from lipcert.rules.rounding import Rounded
from lipcert.samples import Samples

Prove = Callable[[Rounded, Norm | None], LipschitzRadii | Skipped]

_BATCH = 256
_TRIES = 3
_SHRINK = 0.25


def prepare(
    graph: Graph,
    samples: Samples,
    constants: Sequence[UpperConstants],
    eps: Mapping[Norm, Sequence[float]],
    settings: AnalyzeSettings,
    *,
    layers: Graph | None = None,
    progress: Progress = silent,
) -> Certifier | Skipped:
    """A certifier for every ball of `eps`, before anything is proved; Skipped where nothing could be.

    graph      as it was loaded: its own ops are the ones that round
    samples    with labels
    constants  upper bounds of this graph, in any norms
    layers     the graph whose layers the constants were found on, with batch norms folded; `graph` where it is the same
    """
    working = graph.to(dtype=torch.float64)
    ladder = _ladder(working, samples, settings)

    def prove(logits: Rounded, norm: Norm | None) -> LipschitzRadii | Skipped:
        norms = tuple(eps) if norm is None else (norm,)
        return lipschitz_radii(layers or working, logits, _labels(samples), constants, norms)

    lipschitz = _lipschitz(prove, working, samples, ladder)
    if isinstance(lipschitz, Skipped) and isinstance(ladder, Skipped):
        return ladder
    wrong = _margins(working, samples, settings) <= 0
    return Certifier(
        standings=tuple(Standing(norm=n, eps=e, wrong=wrong) for n, levels in eps.items() for e in sorted(levels)),
        lipschitz=lipschitz,
        products=_by_products(layers or working, working, samples, constants, tuple(eps)),
        ladder=ladder,
        deploy_dtype="real" if isinstance(ladder, Skipped) else settings.deploy_dtype,
        features=prod(graph.input_shape),
        effort=settings.effort,
        progress=progress,
    )


def _by_products(
    layers: Graph, graph: Graph, samples: Samples, constants: Sequence[UpperConstants], norms: Sequence[Norm]
) -> dict[Norm, Tensor]:
    """What the products of layer norms alone prove of the real-arithmetic network, for contrast; each in its own norm.

    Sources: Tsuzuku, Sato, Sugiyama, NeurIPS 2018 (arXiv 1802.04034), section 3; with the exact differences of the
    last layer's rows as in Leino, Wang, Fredrikson, ICML 2021 (arXiv 2102.08452), section 3.
    """
    products = [one for one in constants if one.method == PRODUCT and one.norm in norms]
    try:
        logits = bounded_logits(graph, samples.inputs, batch_size=_BATCH) if products else None
    except UnsupportedOperatorError:
        return {}
    found: dict[Norm, Tensor] = {}
    for one in products if logits is not None else ():
        assert logits is not None
        radii = lipschitz_radii(layers, logits, _labels(samples), [one], (one.norm,))
        if isinstance(radii, LipschitzRadii):
            found[one.norm] = radii.radius[one.norm]
    return found


def _labels(samples: Samples) -> Tensor:
    assert samples.labels is not None
    return samples.labels


def _margins(graph: Graph, samples: Samples, settings: AnalyzeSettings) -> Tensor:
    logits = logits_of(graph, samples.inputs, batch_size=settings.batch_size).cpu()
    return margins(logits, _labels(samples).cpu())


def _ladder(graph: Graph, samples: Samples, settings: AnalyzeSettings) -> Ladder | Skipped:
    """The ladder, once one sample has shown that every op has the rules it takes."""
    memory = settings.max_memory or DEFAULT_MEMORY
    try:
        bounder = Bounder(graph, deploy_dtype=settings.deploy_dtype, max_memory=memory)
        if 2 * bounder.row_bytes > memory:
            return Skipped(reason=_too_small(2 * bounder.row_bytes, memory))
        ladder = Ladder(
            bounder=bounder,
            inputs=samples.inputs.to(device=graph.device, dtype=torch.float64),
            labels=_labels(samples).to(graph.device),
            clean=_margins(graph, samples, settings),
            input_range=samples.input_range,
            persistent=settings.effort == "high",
            batch=max(1, min(BATCH, memory // (2 * graph.classes * bounder.row_bytes))),
        )
        first = ladder.batch_of(torch.zeros(1, dtype=torch.long), "linf", torch.zeros(1, dtype=torch.float64))
        ladder.bounder.margins(first.region, first.labels, ladder.bounder.intervals(first.region))
    except UnsupportedOperatorError as error:
        return Skipped(reason=error.message, operators=error.operators)
    return ladder


def _too_small(needed: int, allowed: int) -> str:
    return (
        f"two rows of linear bounds of one sample take {needed / 2**20:.1f} MiB, and {allowed / 2**20:.1f} MiB are "
        "allowed; raise --max-memory"
    )


def _lipschitz(prove: Prove, graph: Graph, samples: Samples, ladder: Ladder | Skipped) -> LipschitzRadii | Skipped:
    """For the deployed network where there is a ladder to bound its rounding; else for the real-arithmetic one."""
    try:
        logits = bounded_logits(graph, samples.inputs, batch_size=_BATCH)
        found = prove(logits, None)
        if isinstance(found, Skipped) or isinstance(ladder, Skipped) or not ladder.bounder.deployment.store:
            return found
        if ladder.bounder.plan.settled:
            return Skipped(reason="the deployed network computes constants that Lipschitz constants know otherwise")
        return _as_deployed(prove, Rounded(logits.value.cpu(), logits.error.cpu()), ladder, found)
    except UnsupportedOperatorError as error:
        return Skipped(reason=error.message, operators=error.operators)


def _as_deployed(prove: Prove, logits: Rounded, ladder: Ladder, real: LipschitzRadii) -> LipschitzRadii:
    """Radii at which the margins exceed the rounding of the deployed network as well.

    That rounding is bounded over a ball; a smaller ball than the real-arithmetic one may allow for a smaller bound.
    """
    longest = torch.stack(list(real.radius.values())).amax(dim=0)
    radius = {norm: torch.zeros_like(longest) for norm in real.radius}
    floor = {norm: torch.zeros_like(longest) for norm in real.radius}
    rows = torch.arange(len(longest))
    for attempt in range(_TRIES):
        reach = longest * _SHRINK**attempt
        error = (logits.error + _errors(ladder, reach, rows)) * (1 + 2.0**-50)
        for norm in real.radius:
            found = prove(replace(logits, error=error), norm)
            assert isinstance(found, LipschitzRadii)
            got = torch.minimum(found.radius[norm], reach)
            floor[norm] = torch.where(got > radius[norm], found.floor[norm], floor[norm])
            radius[norm] = torch.maximum(radius[norm], got)
        short = torch.stack([radius[norm] < _SHRINK * real.radius[norm] for norm in radius])
        rows = short.any(dim=0).nonzero()[:, 0]
        if not len(rows):
            break
    return replace(real, radius=radius, floor=floor)


def _errors(ladder: Ladder, eps: Tensor, rows: Tensor) -> Tensor:
    """Of the logits of samples `rows` within their radii in any norm, (N, classes): a box holds the other balls.

    Infinite for other samples.
    """
    found = torch.full((len(eps), ladder.bounder.plan.graph.classes), torch.inf, dtype=torch.float64)
    for some in rows.split(ladder.batch):
        region = ladder.batch_of(some, "linf", eps[some]).region
        found[some] = deployed_error(ladder.bounder, region).cpu()
    return found
