"""`lipcert explain` and `lipcert schema`."""

import json

import pytest

from lipcert.records import codec
from lipcert.render.explain import PAGES


def test_the_index_names_every_page(lipcert):
    out = lipcert("explain").out
    assert all(page.id in out for page in PAGES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        assert max(map(len, lipcert("explain").out.splitlines())) <= 80
    assert lipcert("explain", "-f", "markdown").out.count("\n") == len(PAGES) + 2


@pytest.mark.parametrize("name", ["certified.accuracy", "lipschitz.value.upper[norm=l2,scope=global]", "Spectral Norm"])
def test_a_page_is_found_by_any_of_its_names(lipcert, name):
    outcome = lipcert("explain", name)
    assert (outcome.code, outcome.err) == (0, "")
    assert "## Source" in outcome.out


def test_an_unknown_name_is_a_usage_error_with_the_nearest(lipcert):
    outcome = lipcert("explain", "lipshitz")
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean lipschitz" in outcome.err


def test_explanations_are_documents_with_json(lipcert):
    document = json.loads(lipcert("explain", "--json").out)
    assert len(document["pages"]) == len(PAGES)
    page = json.loads(lipcert("explain", "eps", "-f", "json").out)["pages"][0]
    assert page["id"] == "eps"
    assert "fractions" in page["text"].lower()


def test_the_schema_is_printed_as_shipped(lipcert, tmp_path):
    assert lipcert("schema").out == codec.schema_text()
    lipcert("schema", "-o", tmp_path / "s.json")
    assert (tmp_path / "s.json").read_text() == codec.schema_text()
