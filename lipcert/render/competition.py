"""A verdict on a property as the verification competition writes it."""

from __future__ import annotations

from lipcert.records.certify import CertifyReport


def render_verdict(report: CertifyReport) -> str:
    """The verdict on the first line; after sat the counterexample, one assignment a line, shortest exact decimals."""
    if report.counterexample is None:
        return f"{report.verdict}\n"
    found = report.counterexample
    pairs = [
        *(f"(X_{i} {value!r})" for i, value in enumerate(found.inputs)),
        *(f"(Y_{i} {value!r})" for i, value in enumerate(found.outputs)),
    ]
    return f"{report.verdict}\n({chr(10).join(pairs)})\n"
