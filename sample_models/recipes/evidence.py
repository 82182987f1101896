"""The numbers of one report that the papers' claims are about, by short names."""

from __future__ import annotations

from typing import Any

Model = dict[str, Any]


def evidence(model: Model, split: str) -> dict[str, Any]:
    """From one model of a JSON report; `split` is "test" or "train". What the report does not have is left out."""
    if split == "train":
        return _fit(model)
    found: dict[str, Any] = {"clean": model["margins"]["clean_accuracy"]}
    for name, part in (("robustness", _robustness), ("certificates", _certificates), ("training_gaps", _gaps)):
        for record in _records(model, name):
            found |= part(record)
    for record in _records(model, "lipschitz"):
        if record["scope"] == "global" and record["norm"] == "l2" and record["value"]["upper"]:
            found["lipschitz"] = min(found.get("lipschitz", float("inf")), record["value"]["upper"])
    if isinstance(model.get("jacobian"), dict) and "statistics" in model["jacobian"]:
        found |= _jacobian(model["jacobian"])
    return found


def _records(model: Model, name: str) -> list[Model]:
    """The records of one analysis; none where it was skipped."""
    found = model.get(name)
    return [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []


def _ball(record: Model) -> str:
    return f"{record['norm']}_{record['eps']:g}"


def _robustness(record: Model) -> dict[str, float]:
    if "robust_accuracy" not in record:
        return {}
    return {f"robust_{_ball(record)}": record["robust_accuracy"], f"robust_loss_{_ball(record)}": record["robust_loss"]}


def _certificates(record: Model) -> dict[str, float]:
    return {f"certified_{_ball(record)}": record["certified_accuracy"]} if "certified_accuracy" in record else {}


def _gaps(record: Model) -> dict[str, float]:
    """Test less training for losses, training less test for accuracies: a gap is how much worse the test is."""
    if "gap" not in record:
        return {}
    ball = "" if record["norm"] is None else f"_{_ball(record)}"
    sign = -1 if record["quantity"].endswith("accuracy") else 1
    return {
        f"gap_{record['quantity']}{ball}": sign * record["gap"],
        f"train_{record['quantity']}{ball}": record["train"],
    }


def _jacobian(record: Model) -> dict[str, Any]:
    statistics = record["statistics"]
    found: dict[str, Any] = {
        "sigma1": statistics["spectral_norm"]["mean"],
        "frobenius": statistics["frobenius_norm"]["mean"],
        "l1_entries": statistics["l1_entries"]["mean"],
        "spectrum": record["singular_spectrum"],
    }
    functionals = record["functionals"]
    found |= {name: functionals["statistics"][name]["mean"] for name in ("cross_lipschitz", "input_gradient")}
    relations = functionals["relations"]
    found["relations"] = float(all(relation["holds"] for relation in relations))
    found["identities"] = max(relation["worst"] for relation in relations if relation["kind"] == "identity")
    found["power_method"] = record["power_method"].get("holds", 0.0)
    for one in record["surrogates"]:
        found |= {f"{part['name']}_{_ball(one)}": part["loss"]["mean"] for part in one["surrogates"]}
    for one in record["alignment"]:
        found[f"alignment {one['direction']} {one['radius']:g}"] = one["by_rank"]
        found[f"median_first {one['direction']} {one['radius']:g}"] = one["median_first"]
        if one["gain"] is not None:
            found[f"gain {one['direction']} {one['radius']:g}"] = one["gain"]
    for one in record["linearity"]:
        found[f"deviation {one['direction']} {one['radius']:g}"] = one["logit_deviation"]
    return found


def _fit(model: Model) -> dict[str, Any]:
    """How well, and with which normalised margins, a net fits the labels it was trained on."""
    found: dict[str, Any] = {
        "fit": model["margins"]["clean_accuracy"],
        "margin": _spread(model["margins"]["distribution"]),
    }
    for record in _records(model, "normalised_margins"):
        if "distribution" in record:
            found[f"normalised_{record['normalisation']}"] = _spread(record["distribution"])
    return found


def _spread(distribution: Model) -> dict[str, float]:
    return {name: distribution[name] for name in ("q05", "median", "q95")}
