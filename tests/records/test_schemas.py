"""The schemas that ship are those of the records, one a document."""

from importlib import resources

import jsonschema
import pytest

from lipcert.cli.schema import SCHEMA
from lipcert.records import codec


@pytest.mark.parametrize("name", codec.DOCUMENTS)
def test_the_shipped_schema_is_that_of_the_records(name):
    shipped = resources.files("lipcert.records").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    assert shipped == codec.schema_text(name), (
        f"The records changed. Raise the schema's version (minor where fields were added, major where any changed or "
        f"went) and write codec.schema_text({name!r}) to lipcert/records/{name}.schema.json."
    )
    jsonschema.Draft202012Validator.check_schema(codec.json_schema(name))


def test_every_schema_can_be_asked_for():
    assert SCHEMA.options["document"].known() == tuple(codec.DOCUMENTS)
