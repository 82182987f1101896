"""Every metric has a page, and every page says the same things in the same order."""

import ast
from importlib import resources
from pathlib import Path

import pytest
import torch

import lipcert
from lipcert.analyses.jacobian import jacobian_record, measure_jacobians
from lipcert.records import FunctionalsRecord, JacobianRecord, LayerRecord
from lipcert.render.explain import PAGES, find, read
from tests import graphs
from tests.render.reports import REPORTS

EVERY = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
HEADINGS = ["## Meaning", "## Formula", "## Status", "## What to do", "## Source"]


@EVERY
def test_a_page_has_every_part(page):
    lines = read(page).splitlines()
    assert lines[0] == f"# {page.id}"
    assert lines[2]
    assert [line for line in lines if line.startswith("## ")] == HEADINGS
    assert all(lines[lines.index(heading) + 2] for heading in HEADINGS)


@EVERY
def test_a_page_fits_any_terminal(page):
    text = read(page)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


@EVERY
def test_ids_and_aliases_lead_to_the_page(page):
    for name in (page.id, *page.aliases):
        assert find(name) is page
    assert find(page.id.upper().replace("_", " ") + "[norm=linf,eps=2/255]") is page


def test_names_are_taken_once():
    names = [name for page in PAGES for name in (page.id, *page.aliases)]
    assert len(names) == len(set(names))


def test_there_is_no_page_without_an_entry():
    files = {path.name for path in resources.files("lipcert.render.explain").iterdir()}
    assert {f"{page.id}.md" for page in PAGES} == {name for name in files if name.endswith(".md")}


def test_every_layer_norm_and_jacobian_statistic_is_explained():
    norms = [name for name in LayerRecord.__dataclass_fields__ if name.endswith(("_norm", "_rank"))]
    model = REPORTS["full"].models[0]
    assert isinstance(model.jacobian, JacobianRecord)
    for name in [*(f"layers.{norm}" for norm in norms), *(f"jacobian.{norm}" for norm in model.jacobian.statistics)]:
        assert find(name), name


def test_every_part_of_the_jacobian_record_is_explained():
    record = jacobian_record(
        measure_jacobians(graphs.mlp(5, 9, 3), graphs.uniform(20, 5), torch.arange(20) % 3), balls=[("l2", 0.1)]
    )
    assert isinstance(record.functionals, FunctionalsRecord)
    names = [*record.statistics, *(f"functionals.{name}" for name in record.functionals.statistics)]
    names += ["functionals.curvature_probe", "functionals.relations", "operator_norms", "distances", "surrogates"]
    names += ["correlations", "classes", "zero_rows", "zero_samples", "spectral_norm_lower"]
    for name in names:
        page = find(f"jacobian.{name}")
        assert page is not None, name
        text = read(page)
        assert all(f"    {word} " in text for word in ("unit", "better", "typical")), page.id
    assert record.surrogates
    assert all(one.name in read(find("surrogates")) for one in record.surrogates[0].surrogates)


def _diagnostic_ids():
    """Every id that the package's own source gives a diagnostic."""
    for path in Path(lipcert.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DiagnosticRecord":
                (name,) = (keyword.value for keyword in node.keywords if keyword.arg == "id")
                yield ast.literal_eval(name)


def test_every_diagnostic_is_explained():
    ids = set(_diagnostic_ids())
    assert {"fidelity.quantised", "gradient.zero", "data.chance", "data.note", "load.note"} <= ids
    for name in ids:
        page = find(name)
        assert page is not None, name
        assert name in read(page), f"the page {page.id} does not speak of {name}"
