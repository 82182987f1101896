"""Progress on stderr: lines for a log, bars for a terminal, nothing when asked."""

import io

import pytest

from lipcert.cli import progress_bar
from lipcert.cli.progress_bar import BarProgress, LineProgress, watch


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    time = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: time[0])
    return time


def test_a_log_gets_a_line_at_the_end_of_each_analysis(clock, capsys):
    progress = LineProgress()
    for done in range(5):
        clock[0] += 1
        progress("layers", done, 4)
    assert capsys.readouterr().err == "layers: done in 4.0 s\n"


def test_a_long_analysis_speaks_every_half_minute_with_an_eta(clock, capsys):
    progress = LineProgress()
    for done in range(61):
        progress("robustness", done, 120)
        clock[0] += 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "robustness: 30 of 120, about 90 s left",
        "robustness: 60 of 120, about 60 s left",
    ]


def test_bars_follow_every_analysis(monkeypatch):
    with progress_bar._bars() as bars:
        bars.console.file = io.StringIO()
        progress = BarProgress(bars)
        progress("layers", 0, 4)
        progress("layers", 4, 4)
        progress("jacobian", 1, 0)
        assert [(task.description, task.completed, task.total) for task in bars.tasks] == [
            ("layers", 4, 4),
            ("jacobian", 1, None),
        ]


def test_quiet_is_quiet(capsys):
    with watch(quiet=True) as progress:
        progress("layers", 4, 4)
    assert capsys.readouterr().err == ""


def test_a_pipe_gets_no_animation(capsys):
    with watch(quiet=False) as progress:
        assert isinstance(progress, LineProgress)
