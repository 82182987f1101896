"""Exponents of norms as typed."""

import pytest

from lipcert.cli.exponents import exponents
from lipcert.errors import UsageError


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None),
        (["3:1.5"], ("3:1.5",)),
        (["inf:2,3.0:1"], ("inf:2", "3:1")),
        (["2:2", "2:2.0", "1:inf"], ("2:2", "1:inf")),
    ],
)
def test_pairs_have_one_spelling(given, found):
    assert exponents(given) == found


@pytest.mark.parametrize("text", ["3", "3:", ":2", "0.5:2", "2:-1", "nan:2", "a:b", "1:2:3"])
def test_what_is_no_pair_of_exponents_is_refused(text):
    with pytest.raises(UsageError, match="--jacobian-norm"):
        exponents([text])
