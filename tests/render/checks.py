"""Checks in every state, made by hand."""

from dataclasses import replace

from lipcert.records import CheckRecord, Soundness
from tests.render.models import full_model


def check(state="pass", **changes):
    fields = {
        "id": "certified.accuracy",
        "metric": "certificates.certified_accuracy[norm=linf,eps=0.1]",
        "level": "error",
        "state": state,
        "lower": 0.812,
        "upper": 0.846,
        "soundness": Soundness.PROVED,
        "minimum": 0.8,
        "message": "certified accuracy at linf 0.1 lies between 81.2 % and 84.6 %, at least 80 % is asked",
        "source": "lipcert.toml",
        "line": 12,
    }
    return CheckRecord(**(fields | changes))


def every_state():
    nothing = {"lower": None, "upper": None, "soundness": None}
    return (
        check(),
        check("fail", id="clean.accuracy", metric="margins.clean_accuracy", lower=0.989, upper=0.989, minimum=0.995,
              message="98.9 % is below 99.5 %", hint="train longer", line=7),
        check("inconclusive", id="lipschitz.l2", metric="lipschitz.value[norm=l2,scope=global]", lower=11.93,
              upper=19.38, minimum=None, maximum=15.0, level="warning",
              message="between 11.9 and 19.4, at most 15 is asked",
              hint="--effort high may decide it", line=20),
        check("skipped", id="robust.loss", metric="robustness.robust_loss[norm=l1,eps=1]", message="not in the report",
              **nothing),
        check("error", id="layers.norm", metric="layers.spectral_norm", message="no verdict on the model", **nothing),
        check("fail", id="layers.spectral_outlier", metric="layers.spectral_outlier", lower=12.0, upper=12.1,
              minimum=None, maximum=10.0, ignored="legacy, retired in Q1", expires="2027-03-31",
              message="12.1 is above 10"),
        check("fail", id="clean.loss", metric="margins.clean_loss", lower=0.0312, upper=0.0312, minimum=None,
              regression="1%", baseline=0.0301, level="note", message="rose from 0.0301 to 0.0312"),
    )  # fmt: skip


def checked_model(*checks, **changes):
    return replace(full_model(), checks=checks or every_state(), **changes)


def hostile_check(text):
    return check("fail", id=text, metric=f"layers.spectral_norm[name={text}]", message=text, hint=text, source=text)
