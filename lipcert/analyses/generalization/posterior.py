"""A bound on the error of the network with random weights, from its training samples alone.

The network's weights become independent Gaussians, which start at the trained weights and are then chosen for the
bound. It holds for the classifier that draws its weights afresh for each input, not for the network in the file. The
theorem and its constants are in posterior_bound.py.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Generator, Tensor

from lipcert.analyses.generalization.fixed import described
from lipcert.analyses.generalization.posterior_bound import LEAST_SAMPLES, bound_on_average, bound_on_error
from lipcert.analyses.generalization.posterior_search import PRIORS, Posterior, search
from lipcert.analyses.generalization.posterior_weights import (
    Weights,
    centre,
    error_rate,
    pass_seconds,
    weights_of,
)
from lipcert.deadline import Deadline
from lipcert.graph import Graph
from lipcert.progress import Progress, silent
from lipcert.records import Effort, GeneralizationRecord, Skipped, Soundness
from lipcert.samples import Samples

NAME = "pac-bayes-posterior"
QUANTITY = "error on unseen inputs of the network with random weights, drawn for each input"
NEEDS_TRAINING = "it speaks of the training samples: give them, labelled, with --train-data"
ASSUMPTIONS = (
    "the training samples were drawn independently from the population",
    "architecture, input scaling and initial weights were chosen without the training samples",
    "pseudo-random numbers are as good as random ones",
)
_SOURCE = "Dziugaite, Roy 2017, with Maurer 2004 and Maurer, Pontil 2009; constants in lipcert"
NO_TIME = "no time was left for it: raise --time-budget"
_SEARCH = 0.6  # share of the time left, where there is a limit, that goes to the search
_DRAWING = 0.8  # of what is left then; one network takes longer than another
_LEAST_DRAWS = 40
_COINS = 0.2  # share of the failure probability that goes to the average over the posterior


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one effort may spend.

    weights  more of them are not tried
    seconds  nominal, as `pass_seconds` counts them: the same on every machine
    steps    most steps
    least    fewer steps are not worth it
    draws    networks drawn to average over
    """

    weights: int
    seconds: float
    steps: int
    least: int
    draws: int


PLANS: dict[Effort, Plan] = {
    "default": Plan(weights=100_000, seconds=40, steps=6_000, least=500, draws=2_000),
    "high": Plan(weights=1_000_000, seconds=240, steps=20_000, least=500, draws=5_000),
}


def posterior_record(
    graph: Graph,
    training: Samples | None,
    *,
    initial: Graph | None = None,
    failure: float = 0.05,
    effort: Effort = "default",
    seed: int = 0,
    batch_size: int = 256,
    deadline: Deadline | None = None,
    progress: Progress = silent,
) -> GeneralizationRecord:
    """The bound, failing with probability `failure` at most, or why there is none.

    initial     the network before training, the prior's mean; without it the prior is centred at zero
    batch_size  samples a pass when errors are counted; speed and memory only
    deadline    the search is cut short, and fewer networks are drawn, so that it is met: the bound is then larger

    Raises UsageError where `initial` has another architecture.
    """
    weights = weights_of(graph.to(device="cpu"))
    if isinstance(weights, Skipped):
        return _record({}, missing=weights.reason)
    middle = centre(weights, None if initial is None else initial.to(device="cpu"))
    if training is None or training.labels is None:
        return _record({}, missing=NEEDS_TRAINING)
    plan = _affordable(weights, len(training), effort)
    if isinstance(plan, str):
        return _record({}, missing=plan)
    end = deadline or Deadline()
    if end.passed:
        return _record({}, missing=NO_TIME)
    data = Samples(inputs=training.inputs.to("cpu", torch.float32), labels=training.labels.to("cpu", torch.int64))
    at = _told(progress, plan)
    chosen, steps = _searched(weights, middle, data, plan, seed=seed, done=at(0), deadline=end.share(_SEARCH))
    errors, own = _averaged(weights, chosen, data, plan, seed=seed, size=batch_size, done=at(plan.steps), deadline=end)
    progress("posterior", plan.steps + plan.draws, plan.steps + plan.draws)
    terms = _terms(errors, chosen.divergence(middle), _price(weights), len(training), failure)
    size = {"weights": float(len(weights)), "steps": float(steps), "error_of_the_file": own}
    return _record(size | terms, failure)


def _averaged(
    weights: Weights,
    chosen: Posterior,
    data: Samples,
    plan: Plan,
    *,
    seed: int,
    size: int,
    done: Callable[[int], None],
    deadline: Deadline,
) -> tuple[Tensor, float]:
    """Error rates of networks drawn, and that of the network as it is.

    Where time is short fewer are drawn; how many is settled before any of them is seen.
    """
    begun = time.perf_counter()
    own = error_rate(weights, weights.start, data, size)
    seconds, draws = time.perf_counter() - begun, plan.draws
    if not math.isinf(deadline.left):
        draws = min(draws, max(_LEAST_DRAWS, int(_DRAWING * deadline.left / seconds)))
    # A generator of its own: the networks that are averaged over must be independent of the search.
    fresh = Generator().manual_seed(2 * seed + 1)
    return draw_errors(weights, chosen, data, generator=fresh, draws=draws, batch_size=size, done=done), own


def posterior_pending() -> GeneralizationRecord:
    """What stands in the bound's place until it is there."""
    return _record({}, missing="the run was interrupted before this bound was had")


def _price(weights: Weights) -> float:
    """Log of the number of priors: of widths, and of the values that numbers without noise could have."""
    return len(weights.start) * math.log(PRIORS) + described(weights.graph, weights.start)


def _searched(
    weights: Weights,
    middle: dict[str, Tensor],
    data: Samples,
    plan: Plan,
    *,
    seed: int,
    done: Callable[[int], None],
    deadline: Deadline,
) -> tuple[Posterior, int]:
    """What the search gives, and its steps."""
    assert data.labels is not None
    return search(
        weights,
        middle,
        data.inputs,
        data.labels,
        price=_price(weights),
        steps=plan.steps,
        generator=Generator().manual_seed(2 * seed),
        done=done,
        deadline=deadline,
    )


def _told(progress: Progress, plan: Plan) -> Callable[[int], Callable[[int], None]]:
    """Progress of a part of the work that begins after so many steps."""
    return lambda offset: lambda done: progress("posterior", offset + done, plan.steps + plan.draws)


def draw_errors(
    weights: Weights,
    posterior: Posterior,
    data: Samples,
    *,
    draws: int,
    generator: Generator,
    batch_size: int = 256,
    done: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Error rates on labelled samples of networks drawn from the posterior, shape (draws,), float64."""
    rates = []
    for index in range(draws):
        done(index)
        rates.append(error_rate(weights, posterior.draw(weights, generator), data, batch_size))
    return torch.tensor(rates, dtype=torch.float64)


def _affordable(weights: Weights, samples: int, effort: Effort) -> Plan | str:
    """The effort's plan with the steps this network can have, or why there are none."""
    if samples < LEAST_SAMPLES:
        return f"{samples} training samples are too few; the theorem needs {LEAST_SAMPLES}"
    plan = PLANS.get(effort)
    if plan is None:
        return f"optimising a posterior does not fit effort {effort}: ask for --effort default"
    more = "" if effort == "high" else ": --effort high allows more"
    if len(weights) > plan.weights:
        return f"{len(weights):,} weights are more than the {plan.weights:,} of effort {effort}{more}"
    work = weights.multiplications()
    averaging = plan.draws * pass_seconds(len(weights), samples * work)
    steps = min(plan.steps, int((plan.seconds - averaging) / pass_seconds(len(weights), 3 * min(256, samples) * work)))
    if steps < plan.least:
        return f"{samples:,} samples through {len(weights):,} weights take longer than effort {effort} allows{more}"
    return Plan(weights=plan.weights, seconds=plan.seconds, steps=steps, least=plan.least, draws=plan.draws)


def _terms(errors: Tensor, divergence: float, price: float, samples: int, failure: float) -> dict[str, float]:
    upper = bound_on_average(errors, failure * _COINS)
    return {
        "samples": float(samples),
        "draws": float(len(errors)),
        "train_error": float(errors.mean()),
        "train_error_upper": upper,
        "divergence": divergence,
        "prior_choice": price,
        "upper": bound_on_error(upper, (divergence + price) * (1 + 1e-12), samples, failure * (1 - _COINS)),
    }


def _record(terms: dict[str, float], failure: float = 0.0, missing: str = "") -> GeneralizationRecord:
    log10 = math.log10(terms["upper"]) if terms else None
    return GeneralizationRecord(
        bound=NAME,
        quantity=QUANTITY,
        soundness=Soundness.PROBABILISTIC,
        failure_probability=failure,
        log10_value=log10,
        vacuous=None if log10 is None else log10 >= 0,
        terms=terms,
        assumptions=ASSUMPTIONS,
        source=_SOURCE,
        missing=missing,
    )
