"""The one law about bad input, whatever it is."""

import json


def refused(lipcert, *arguments, code):
    """The message and hint of a refusal: one strict document, the words on stderr, no traceback, never 1."""
    outcome = lipcert(*arguments, "-f", "json", "--quiet")
    assert outcome.code == code, outcome.err
    document = json.loads(outcome.out, parse_constant=lambda name: 1 / 0)
    assert document["summary"]["exit_code"] == code
    assert document["models"] == []
    (error,) = document["errors"]
    assert not error["code"].startswith("internal"), outcome.err
    assert error["message"].splitlines()[-1][-20:] in outcome.err
    assert error["hint"] in outcome.err
    assert "Traceback" not in outcome.err
    assert "Warning" not in outcome.err
    return f"{error['message']} | {error['hint']}"
