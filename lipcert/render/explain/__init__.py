"""What the words of a report mean: the table of ids and aliases that reports, checks and `explain` share.

Each entry has a page of its own beside this file, called by its id. A page is plain ASCII in lines of at most 80
columns and tells meaning, formula, status, what to do, and source.
"""

from __future__ import annotations

import re
from importlib import resources

from lipcert.render.explain.engine_pages import ENGINE_PAGES
from lipcert.render.explain.gate_pages import GATE_PAGES
from lipcert.render.explain.page import Page

PAGES = (
    Page("brackets", "robust accuracy from both sides: certified <= true <= attacked", ("robust.bracket", "undecided")),
    Page(
        "brackets.population_risk",
        "where the model's true robust error lies, with a stated confidence",
        ("population_risk", "risk", "clopper-pearson"),
    ),
    Page(
        "generalization",
        "what is known of the error on unseen inputs",
        ("bounds", "vacuous", "split", "generalization.log10_value", "generalization.vacuous"),
    ),
    Page(
        "generalization.holdout",
        "brackets of the true error from fresh samples, one by one and all at once",
        ("holdout", "holdout-clopper-pearson", "holdout-union", "holdout-dkw", "dkw"),
    ),
    Page("generalization.bartlett", "error bound from spectral and (2,1) norms", ("bartlett",)),
    Page("generalization.neyshabur", "PAC-Bayes error bound from norms", ("neyshabur", "pac-bayes", "phi")),
    Page(
        "generalization.layerwise",
        "PAC-Bayes error bound from noise on each layer, residual networks too",
        ("layerwise-pac-bayes", "layerwise"),
    ),
    Page("generalization.robust-pac-bayes", "PAC-Bayes bound on the robust error", ("robust-pac-bayes", "xiao")),
    Page(
        "generalization.posterior",
        "error bound for the network with random weights, from training samples",
        ("posterior", "pac-bayes-posterior", "init-model"),
    ),
    Page("generalization.golowich", "error bound from Frobenius norms", ("golowich",)),
    Page(
        "generalization.farnia",
        "attack-specific bounds, restated and unverified",
        ("farnia", "farnia-fgm", "farnia-pgm", "farnia-wrm"),
    ),
    Page(
        "training_gaps",
        "what differs between training and test samples under the same attack",
        ("training_gap", "training_gaps.time", "excess_loss", "generalization_gap", "overfitting"),
    ),
    Page("all_layer_margin", "how little must change at the layers to change the class", ("all-layer",)),
    Page("noise_resilience", "lengths and derivatives inside the network", ("sensitivity", "activation")),
    Page("normalised_margins", "margins over the network's size", ("normalised_margin", "normalized_margins")),
    Page(
        "measures",
        "what was seen to go with the generalization gap",
        ("measure", "path_norm", "param_norm", "sharpness", "flatness", "pacbayes_sigma"),
    ),
    Page(
        "certificates.certified_accuracy",
        "share of samples proved to keep their true label in the whole region",
        (
            "certified.accuracy",
            "certificates",
            "certificates.verdicts",
            "certificates.decided_by",
            "certificates.untried",
            "deploy_dtype",
            "certificates.rounding",
        ),
    ),
    Page(
        "radii.certified_radius",
        "radius up to which a sample is proved to keep its label",
        ("certified.radius", "radii", "product_radius", "radii.product_radius"),
    ),
    Page(
        "robustness.robust_accuracy", "share of samples no attack broke", ("robust.accuracy", "robustness", "attacks")
    ),
    Page(
        "robustness.sampling",
        "what the draw of the samples leaves open, apart from what a better attack might find",
        ("sampling", "mcnemar"),
    ),
    Page(
        "robustness.unseen", "how many more samples further seeds would break, by estimate", ("unseen", "seeds", "chao")
    ),
    Page(
        "adversarial_radii.adversarial_radius",
        "distance of the nearest error found of each sample, and robust accuracy at every radius",
        ("adversarial.radius", "adversarial_radii", "adversarial_radii.curve"),
    ),
    Page(
        "evaluation",
        "whether the attacks can be believed: checks and their verdict",
        ("evaluation.verdict", "masking", "sound", "doubtful", "broken"),
    ),
    Page(
        "evaluation.outputs",
        "checks of what the model gives",
        ("evaluation.repeatable", "evaluation.probabilities", "evaluation.saturation"),
    ),
    Page("evaluation.inputs", "checks of data, range and radius", ("evaluation.range", "evaluation.radius")),
    Page(
        "evaluation.gradients",
        "checks of the gradients that attacks follow",
        (
            "evaluation.differentiable",
            "evaluation.zero_gradient",
            "evaluation.gradient_agreement",
            "evaluation.plateau",
        ),
    ),
    Page("evaluation.planted", "a search for errors that surely exist", ()),
    Page(
        "evaluation.strength",
        "checks of one attack against another",
        (
            "evaluation.iterative",
            "evaluation.noise",
            "evaluation.black_box",
            "evaluation.transfer",
            "evaluation.unbounded",
            "evaluation.convergence",
        ),
    ),
    Page(
        "evaluation.consistency",
        "checks of results against each other and against certificates",
        (
            "evaluation.monotone",
            "evaluation.certified_unbroken",
            "evaluation.gap",
            "evaluation.first_order",
        ),
    ),
    Page("robustness.robust_loss", "mean of the largest loss the attacks found", ("robust.loss",)),
    Page("margins.clean_accuracy", "share of unperturbed samples classified right", ("clean.accuracy",)),
    Page("margins.clean_loss", "mean cross-entropy of the unperturbed samples", ("clean.loss",)),
    Page("margins.distribution", "true-class logit minus the best other, over the samples", ("margins", "margin")),
    Page(
        "lipschitz.value",
        "best constant L with |f(x) - f(y)| <= L |x - y|",
        (
            "lipschitz",
            "lipschitz.l2",
            "lipschitz.linf",
            "lipschitz.l1",
            "lipschitz.value.upper",
            "lipschitz.value.lower",
        ),
    ),
    Page(
        "clever",
        "local constant and radius guessed from the largest sampled gradients: an estimate",
        ("clever.radius", "clever.constant", "clever.fitted", "clever_estimate"),
    ),
    Page("layers.spectral_norm", "largest singular value of a layer as an operator", ("layers", "spectral_norm")),
    Page("layers.linf_norm", "largest absolute row sum of a layer", ("linf_norm",)),
    Page("layers.l1_norm", "largest absolute column sum of a layer", ("l1_norm",)),
    Page("layers.frobenius_norm", "root of the sum of squares of a layer's whole matrix", ("frobenius_norm",)),
    Page("layers.stable_rank", "Frobenius norm squared over spectral norm squared", ("stable_rank",)),
    Page("layers.spectrum", "largest singular values of a layer, from below", ("singular_values",)),
    Page("layers.share", "a layer's part in the product of all layer norms", ("share",)),
    Page("jacobian.spectral_norm", "largest stretch of the linearised network at a sample", ("jacobian",)),
    Page("jacobian.frobenius_norm", "root of the sum of squared partial derivatives at a sample"),
    Page("jacobian.l1_entries", "sum of the absolute partial derivatives at a sample", ("jacobian.l1",)),
    Page(
        "jacobian.linf_l1_norm",
        "largest change of all logits together under a small linf step",
        ("jacobian.linf_l1_norm_upper", "jacobian.linf_l1_norm_lower"),
    ),
    Page("jacobian.linf_norm", "largest change of any logit under a small linf step"),
    Page("jacobian.l1_norm", "largest effect of one input entry on all logits together"),
    Page("jacobian.stable_rank", "how many directions a sample's Jacobian acts in"),
    Page(
        "jacobian.centred",
        "Jacobian norms blind to what shifts all logits alike",
        ("jacobian.centred_spectral_norm", "jacobian.centred_frobenius_norm"),
    ),
    Page(
        "jacobian.inverse_condition",
        "smallest over largest singular value of a sample's Jacobian",
        ("jacobian.condition", "condition"),
    ),
    Page(
        "jacobian.operator_norms",
        "largest change of the logits in l_q for a unit step in l_p",
        ("operator_norms", "jacobian.operator_norm", "p,q"),
    ),
    Page(
        "jacobian.distances",
        "first-order distance from a sample to the nearest other class",
        ("distances", "jacobian.first_order_distance", "first_order_distance", "first-order_radius"),
    ),
    Page(
        "jacobian.zero_rows",
        "samples at which some logit does not react at all",
        ("jacobian.zero_samples", "zero_rows", "plateau"),
    ),
    Page(
        "jacobian.spectral_norm_lower",
        "the largest singular value from below, where classes are many",
        ("jacobian.residual",),
    ),
    Page(
        "jacobian.functionals",
        "input gradient, Jacobian, cross-Lipschitz, curvature: how they are related",
        ("functionals", "relations", "jacobian.functionals.relations", "masked", "unmasked", "confident"),
    ),
    Page(
        "jacobian.functionals.input_gradient",
        "squared length of the gradient of the loss",
        ("input_gradient", "input_gradient_l1", "jacobian.functionals.input_gradient_l1"),
    ),
    Page(
        "jacobian.functionals.squared_frobenius",
        "the penalty of Jacobian regularisation, plain and centred",
        ("jacobian.functionals.centred_squared_frobenius", "squared_frobenius", "centred_squared_frobenius"),
    ),
    Page(
        "jacobian.functionals.cross_lipschitz",
        "mean squared difference of the gradients of two logits",
        ("cross_lipschitz", "cross-lipschitz"),
    ),
    Page("jacobian.functionals.hessian_trace", "total curvature of the loss at a sample", ("hessian_trace", "hessian")),
    Page("jacobian.functionals.hessian_norm", "largest curvature of the loss at a sample", ("hessian_norm",)),
    Page("jacobian.functionals.doubt", "one minus the probability of the true class", ("doubt",)),
    Page(
        "jacobian.functionals.curvature_probe",
        "change of the loss gradient over one step along its sign",
        ("curvature_probe", "cure", "curvature"),
    ),
    Page(
        "jacobian.surrogates",
        "losses from the Jacobian that stand for the robust loss",
        ("surrogates", "pairwise", "max_pair", "first_order"),
    ),
    Page("jacobian.correlations", "do Jacobians rank the samples as attacks do?", ("correlations", "spearman")),
    Page("jacobian.classes", "Jacobian statistics class by class", ("by_class",)),
    Page("distribution", "how a quantity is spread over the samples", ("ci95", "quantile_ci95", "statistics")),
    Page(
        "jacobian.alignment",
        "do attacks follow the leading singular directions?",
        ("alignment", "jacobian.alignment.by_rank", "jacobian.alignment.gain"),
    ),
    Page(
        "jacobian.linearity",
        "what the Jacobian does not foretell around a sample",
        ("linearity", "jacobian.linearity.logit_deviation", "jacobian.linearity.feature_deviation"),
    ),
    Page(
        "jacobian.cells",
        "how far the linear region of a sample reaches",
        ("cells", "cell_radius", "jacobian.cell_radius", "jacobian.cells.radius", "local_radius", "linear_regions"),
    ),
    Page("jacobian.power_method", "is an attack with an infinite step the power method here?", ("power_method",)),
    Page("jacobian.gaps", "what differs between training and test samples", ("gaps", "train_data")),
    Page("jacobian.singular_spectrum", "mean singular values of the Jacobian", ("spectrum",)),
    Page(
        "fidelity",
        "how closely the analysed graph follows the original runtime",
        ("fidelity.difference", "fidelity.quantised", "fidelity.unverified", "gradient.zero", "load.note"),
    ),
    Page("per_sample", "the table with one row a sample", ("rows", "per-sample")),
    Page("preprocess", "how a stored value becomes what the model sees", ("preprocessing", "scale", "mean", "std")),
    Page("eps", "the radius of a ball, in data units before normalisation", ("radius", "norm", "clipped")),
    Page(
        "soundness",
        "the five words for how far a number can be trusted",
        ("proved", "exact", "probabilistic", "estimate", "heuristic", "measured"),
    ),
    Page("skipped", "why a number is missing", ("unsupported_ops",)),
    Page(
        "data.sanity",
        "signs that the samples are not fed as in training",
        ("data.preprocessing", "data.chance", "data.labels", "data.overlap", "data.note"),
    ),
    *GATE_PAGES,
    *ENGINE_PAGES,
)


def find(name: str) -> Page | None:
    """The page of an id or alias; selectors like [norm=l2], case, and spaces for underscores do not matter."""
    wanted = re.sub(r"\[.*", "", name).strip().lower().replace(" ", "_")
    return next((page for page in PAGES if wanted == page.id or wanted in page.aliases), None)


def read(page: Page) -> str:
    """The text of a page."""
    return resources.files(__name__).joinpath(f"{page.id}.md").read_text(encoding="utf-8")
