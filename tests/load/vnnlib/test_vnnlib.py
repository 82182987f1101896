"""Properties are read as what they say, and refused with the line where they say more than is read."""

import contextlib
import gzip
import operator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.errors import DataError, UsageError
from lipcert.load.vnnlib import parse_property, read_property

COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "=": operator.eq}
OPERATIONS = {
    "and": lambda *found: all(found),
    "or": lambda *found: any(found),
    "+": lambda *found: sum(found),
    "-": lambda first, *rest: first - sum(rest) if rest else -first,
    "*": operator.mul,
}


def declarations(inputs, outputs):
    names = [f"X_{i}" for i in range(inputs)] + [f"Y_{i}" for i in range(outputs)]
    return "".join(f"(declare-const {name} Real)\n" for name in names)


def box(*ends):
    return "".join(f"(assert (>= X_{i} {low}))(assert (<= X_{i} {high}))" for i, (low, high) in enumerate(ends))


def is_met(prop, inputs, outputs):
    """Whether a point is what the property looks for, by its normal form."""
    return any(
        all(low <= x <= high for low, x, high in zip(case.lower, inputs, case.upper, strict=True))
        and case.violated_by(outputs)
        for case in prop.cases
    )


NUMBERS = st.fractions(-4, 4, max_denominator=8)


def terms(sides):
    leaf = st.one_of(st.tuples(st.just("n"), NUMBERS), st.sampled_from([(s, i) for s, n in sides for i in range(n)]))
    return st.recursive(
        leaf,
        lambda term: st.one_of(
            st.tuples(st.sampled_from("+-"), st.lists(term, min_size=1, max_size=3)),
            st.tuples(st.just("*"), st.tuples(st.tuples(st.just("n"), NUMBERS), term)),
        ),
        max_leaves=4,
    )


def formulas():
    atom = st.tuples(st.sampled_from(sorted(COMPARE)), st.tuples(terms([("Y", 2)]), terms([("Y", 2)])))
    bound = st.tuples(st.sampled_from(["<=", ">="]), st.tuples(st.just(("X", 0)), st.tuples(st.just("n"), NUMBERS)))
    return st.recursive(
        st.one_of(atom, bound),
        lambda formula: st.tuples(st.sampled_from(["and", "or"]), st.lists(formula, min_size=1, max_size=3)),
        max_leaves=6,
    )


def decimal(value):
    return format(float(value), "f")


def text(tree):
    head, *rest = tree
    if head == "n":
        return decimal(rest[0])
    if head in ("X", "Y"):
        return f"{head}_{rest[0]}"
    return f"({head} {' '.join(map(text, rest[0]))})"


def value(tree, point):
    """A second reading of the same tree: by evaluation at one point."""
    head, rest = tree
    if head == "n":
        return Fraction(decimal(rest))
    if head in ("X", "Y"):
        return point[head][rest]
    found = [value(item, point) for item in rest]
    return (COMPARE | OPERATIONS)[head](*found)


@settings(max_examples=150, deadline=None)
@given(formulas(), st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_the_normal_form_holds_where_the_formula_holds(formula, points):
    prop = parse_property(declarations(1, 2) + box((-3, 3)) + f"(assert {text(formula)})")
    for x, *y in points:
        met = -3 <= x <= 3 and value(formula, {"X": [x], "Y": y})
        assert is_met(prop, [x], y) == met


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="()<=XY_01 .-\n;[]andor", max_size=60))
def test_whatever_comes_is_read_or_refused(rest):
    with contextlib.suppress(DataError):
        assert parse_property(declarations(1, 1) + rest).inputs >= 1


def test_disjunctions_of_boxes_stay_apart():
    near, far = "(and (>= X_0 0) (<= X_0 1) (<= Y_0 0))", "(and (>= X_0 2) (<= X_0 3) (>= Y_0 5))"
    prop = parse_property(declarations(1, 1) + f"(assert (or {near} {far} (and (<= X_0 -1) (>= X_0 1))))")
    assert [(case.lower, case.upper, len(case.alternatives)) for case in prop.cases] == [
        ((0,), (1,), 1),
        ((2,), (3,), 1),
    ]


def test_alternatives_of_one_box_share_it():
    prop = parse_property(declarations(1, 3) + box((0, 1)) + "(assert (or (and (>= Y_1 Y_0)) (and (>= Y_2 Y_0))))")
    (case,) = prop.cases
    assert len(case.alternatives) == 2
    assert case.violated_by([Fraction(1), Fraction(1), Fraction(0)])
    assert not case.violated_by([Fraction(2), Fraction(1), Fraction(0)])


def test_numbers_are_read_exactly():
    prop = parse_property(declarations(1, 1) + box(("-1.5e-3", "0.1")) + "(assert (<= Y_0 .3))")
    assert (prop.cases[0].lower, prop.cases[0].upper) == ((Fraction(-3, 2000),), (Fraction(1, 10),))
    assert prop.cases[0].alternatives[0][0].bound == Fraction(3, 10)


def test_the_second_version_declares_tensors():
    prop = parse_property(
        "(vnnlib-version <2.0>) (declare-network acc (declare-input X Real [1, 2]) (declare-output Y float32 []))"
        "(assert (<= X [0,0] 1)) (assert (>= X[0, 0] 0)) (assert (and (<= X[0,1] 3) (>= X[0,1] 2)))"
        "(assert (or (<= Y -3.0) (>= Y 0.0)))"
    )
    assert (prop.inputs, prop.outputs) == (2, 1)
    assert (prop.cases[0].lower, prop.cases[0].upper) == ((0, 2), (1, 3))


def test_an_empty_box_leaves_no_case():
    assert parse_property(declarations(1, 1) + box((1, 0)) + "(assert (<= Y_0 0))").cases == ()


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ("(assert (<= X_0 1)", "never closed"),
        ("(assert (<= X_0 1)))", "without an opening"),
        ("(check-it)", "declaration or"),
        ("word", "declaration or"),
        ("(assert (<= X_7 1))", "X_7"),
        ("(assert (not (<= X_0 1)))", "(not"),
        ("(assert (<= X_0 1 2))", "compares two terms"),
        ("(assert (<= X_0 (sin Y_0)))", "linear term"),
        ("(assert (<= (* X_0 X_0) 1))", "not linear"),
        ("(assert (<= (/ Y_0 0) 1))", "not linear"),
        ("(assert (<= X_0 Y_0))", "inputs with outputs"),
        ("(assert (< X_0 1))", "strict bound"),
        ("(assert (<= X_0 1))", "no lower bound"),
        ("(assert (<= X_0 nan))", "number"),
        ("(assert (<= X_0 1e99999))", "number"),
        ("(declare-const X_0 Real)", "twice"),
        ("(declare-const X_9 Real)", "X_1 is not declared"),
        ("(declare-const Z_0 Real)", "expected"),
        ("(declare-const Y_1 Int)", "expected"),
        ("(declare-network n (declare-hidden h Real [1]))", "declare-input"),
        ("(assert (<= X_0 {))", "number"),
        ("", "nothing is asserted"),
    ],
)
def test_what_is_not_read_is_named(statements, words):
    with pytest.raises(DataError) as caught:
        parse_property(declarations(1, 1) + statements)
    assert words in caught.value.message


def test_several_inputs_in_a_comparison_are_named_with_their_line():
    with pytest.raises(DataError, match="line 4"):
        parse_property(declarations(2, 1) + "(assert (<= X_0 X_1))")


def test_too_many_cases_are_refused():
    one = "(assert (or " + "".join(f"(<= Y_0 {i})" for i in range(100)) + "))"
    with pytest.raises(DataError, match="cases"):
        parse_property(declarations(1, 1) + box((0, 1)) + one * 3)


def test_deep_nesting_is_refused():
    with pytest.raises(DataError, match="deeper"):
        parse_property("(" * 100_000)


def test_files_are_plain_or_gzipped(tmp_path):
    data = (declarations(1, 1) + box((0, 1)) + "(assert (<= Y_0 0))").encode()
    plain, packed, broken = tmp_path / "a.vnnlib", tmp_path / "a.vnnlib.gz", tmp_path / "b.vnnlib.gz"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data))
    broken.write_bytes(gzip.compress(data)[:-10])
    assert read_property(plain) == read_property(packed)
    with pytest.raises(DataError, match="cut short"):
        read_property(broken)
    with pytest.raises(UsageError, match="cannot be read"):
        read_property(tmp_path / "none.vnnlib")
