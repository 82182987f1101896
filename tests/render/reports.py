"""Reports made by hand, for renderers to be judged by."""

from dataclasses import replace

from lipcert.records import (
    AnalyzeSettings,
    DiagnosticRecord,
    ErrorRecord,
    LipschitzRecord,
    Report,
    RunRecord,
    Skipped,
    Soundness,
    Summary,
    ToolRecord,
)
from tests.render.checks import check, checked_model, hostile_check
from tests.render.models import bracket, enclosure, full_model, layer


def report(*models, errors=(), **settings):
    done = sum(model.status == "analyzed" for model in models)
    return Report(
        tool=ToolRecord(version="0.1.0", torch="2.13.0", onnx="1.23.0", onnxruntime="1.31.0"),
        run=RunRecord(
            argv=("analyze", "mnist_conv.onnx"),
            device="cpu",
            threads=2,
            started="2026-11-21T08:00:00Z",
            duration_s=41.2,
        ),
        settings=AnalyzeSettings(**settings),
        models=models,
        summary=Summary(
            models=len(models),
            analyzed=done,
            inconclusive=len(models) - done,
            gate="none",
            exit_code=3 if errors else 0,
        ),
        errors=errors,
    )


def gated(*models, gate="fail", **changes):
    made = report(*models, **changes)
    code = {"pass": 0, "fail": 1, "inconclusive": 3}[gate]
    return replace(made, summary=replace(made.summary, gate=gate, exit_code=code))


def without_data():
    absent = dict.fromkeys(("robustness", "certificates", "radii", "brackets", "generalization"), ())
    gone = dict.fromkeys(("normalised_margins", "measures"), ())
    return replace(full_model(), data=None, jacobian=None, margins=None, **absent, **gone)


def all_skipped():
    gone = Skipped(reason="no rule for these operators", operators=("sort", "topk"))
    return replace(
        without_data(),
        data=full_model().data,
        **dict.fromkeys(
            ("layers", "lipschitz", "jacobian", "margins", "robustness", "certificates", "generalization"), gone
        ),
        unsupported_ops=("sort", "topk"),
    )


HOSTILE = "\x1b[31mred\x1b[0m [bold]b[/bold] a|b `c` <script>\nnext\r\t\u202egnp.exe @everyone " + "x" * 200


def hostile():
    model = full_model()
    gone = Skipped(reason=HOSTILE, operators=(HOSTILE,))
    note = DiagnosticRecord(id=HOSTILE, level="error", message=HOSTILE, hint=HOSTILE)
    return replace(
        model,
        id=HOSTILE,
        path="dir/" + HOSTILE,
        signature=replace(model.signature, description=HOSTILE, notes=(HOSTILE,)),
        preprocess=replace(model.preprocess, layout=HOSTILE, source=HOSTILE),
        data=replace(model.data, path=HOSTILE),
        layers=(layer(HOSTILE, description=HOSTILE), layer("数据" * 40), layer("a" * 200, l1_norm=gone)),
        lipschitz=(LipschitzRecord(norm="l2", scope="global", method=HOSTILE, value=gone), *model.lipschitz),
        jacobian=gone,
        diagnostics=(note,),
        certificates=tuple(replace(one, certified_accuracy=0.0, obstacle=HOSTILE) for one in model.certificates),
        brackets=tuple(replace(one, certified_accuracy=0.0, undecided=one.robust_accuracy) for one in model.brackets),
        checks=(hostile_check(HOSTILE), hostile_check("=cmd|' /C calc'!A0"), hostile_check("::error::##[error]x")),
        unsupported_ops=(HOSTILE,),
    )


def extreme():
    model = full_model(100)
    return replace(
        model,
        layers=(
            layer("tiny", enclosure(5e-324, 1e-300)),
            layer("zero", enclosure(0.0, 0.0, Soundness.EXACT)),
            layer("huge", enclosure(1.23456789e300, 1.7e308)),
            layer("open", enclosure(1.0, None), share=None),
            layer("wide", enclosure(0.0, 12.0)),
        ),
        lipschitz=(
            LipschitzRecord(norm="l2", scope="global", method="product", value=enclosure(0.1, None)),
            LipschitzRecord(norm="linf", scope="local", method="product", value=enclosure(1e-9, 1.5e22)),
        ),
        brackets=(
            bracket("l2", 0.25, 0.0, 0.0, 0.99, 1.0, 7),
            bracket("linf", 2 / 255, 1.0, 1.0, 0.0, 0.01, 7),
            bracket("l1", 1e-7, 1 / 3, 2 / 3, 0.1, 0.9, 30_000),
        ),
    )


FAILURE = ErrorRecord(
    model="broken.onnx",
    code="model.unsupported_operator",
    phase="load",
    message="Two operators have no interpretation.",
    hint="Export without them.",
    operators=("NonZero", "Loop"),
)
REPORTS = {
    "full": report(full_model()),
    "without_data": report(without_data()),
    "all_skipped": report(all_skipped()),
    "hostile": report(hostile(), errors=(replace(FAILURE, model=HOSTILE, message=HOSTILE, hint=HOSTILE),)),
    "extreme": report(extreme()),
    "two_classes": report(full_model(2)),
    "several": report(full_model(), without_data()),
    "failed": report(errors=(FAILURE,)),
    "checked": gated(checked_model()),
    "passed": gated(checked_model(check()), gate="pass"),
    "deterministic": replace(report(full_model()), run=None),
}
