"""What proofs left undone is said in words."""

from dataclasses import replace

from lipcert.records import CertificateRecord, Soundness
from lipcert.render.wording.proofs import given_up
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
