"""What proofs left undone, and what they broke themselves, is said in words."""

from dataclasses import replace

from lipcert.records import CertificateRecord, Soundness
from lipcert.render.wording.proofs import broken_late, given_up
from tests.render.models import full_model


def _certificate(untried):
    return CertificateRecord(
        norm="linf",
        eps=8 / 255,
        samples=9,
        certified_accuracy=0.0,
        method="x",
        soundness=Soundness.PROVED,
        untried=untried,
    )


def test_samples_that_were_given_up_are_counted_ball_by_ball():
    model = full_model()
    assert given_up(replace(model, certificates=(_certificate(0),))) == []
    lines = given_up(replace(model, certificates=(_certificate(7),)))
    assert "linf 8/255: 7 samples" in lines[0]
    assert "--effort high" in lines[1]


def test_what_branch_and_bound_alone_broke_is_told():
    model = full_model()
    bracket = next(bracket for bracket in model.brackets if bracket.eps > 0)
    record = replace(model.robustness[0], norm=bracket.norm, eps=bracket.eps, robust_accuracy=bracket.robust_accuracy)
    attacked = replace(model, brackets=(bracket,), robustness=(record,))
    assert broken_late(attacked) == []
    more = min(1.0, bracket.robust_accuracy + 3 / bracket.samples)
    found = broken_late(replace(attacked, robustness=(replace(record, robust_accuracy=more),)))
    assert len(found) == 1
    assert f"{round((more - bracket.robust_accuracy) * bracket.samples)} samples" in found[0]
