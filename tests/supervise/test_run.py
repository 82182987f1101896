"""A child's death is its own, and has a name."""

import sys
import time
from types import ModuleType

import pytest

from lipcert import errors
from lipcert.records import Skipped, codec
from lipcert.supervise import Call, Limits, run


def call(name, *arguments, limits=None, progress=None, keep=None, **options):
    given = {} if progress is None else {"progress": progress}
    kept = {} if keep is None else {"keep": keep}
    asked = Call(function=f"tests.supervise.victims:{name}", arguments=arguments, kept=keep is not None, **options)
    return codec.read(run(asked, limits or Limits(threads=1), **given, **kept), Skipped).reason


def test_a_result_and_its_progress_come_back():
    seen = []
    assert call("fine", "héllo", progress=lambda *step: seen.append(step), observed=True) == "héllo"
    assert (seen[0], seen[-1]) == (("layers", 0, 2), ("layers", 2, 2))


def test_what_a_model_prints_stays_away(capfd):
    assert call("garbage") == "quiet"
    assert capfd.readouterr() == ("", "")


def test_the_callers_script_is_not_run_again(tmp_path, monkeypatch):
    script, trace = tmp_path / "script.py", tmp_path / "trace"
    script.write_text(f"open({str(trace)!r}, 'w').close()")
    main = ModuleType("__main__")
    main.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert call("fine", "again", observed=True, progress=print) == "again"
    assert sys.modules["__main__"] is main
    assert not trace.exists()


def test_lines_that_are_no_message_are_dropped():
    assert call("liar") == "honest"


def test_the_server_has_imported_the_heavy_packages():
    assert call("modules") == "torch onnxruntime"


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("segfault", errors.CrashedModelError, r"segmentation fault \(SIGSEGV\)"),
        ("leave", errors.CrashedModelError, "exit status 0 and without a result"),
        ("killed", errors.KilledModelError, "SIGKILL"),
        ("terabyte", MemoryError, "MemoryError"),
        ("refused", errors.RefusedModelError, "a pickle"),
        ("broken", errors.LipcertError, "internal error: ZeroDivisionError: oh"),
    ],
)
def test_every_end_has_its_cause(name, kind, words):
    with pytest.raises(kind, match=words):
        call(name)


def test_an_error_keeps_its_details():
    with pytest.raises(errors.UnsupportedOperatorError) as caught:
        call("unsupported")
    assert caught.value.operators == ("a", "b")
    assert "in unsupported" in caught.value.__notes__[0]


def test_memory_is_watched():
    start = time.monotonic()
    with pytest.raises(errors.MemoryLimitError, match=r"max-memory allows 1\.5 GiB"):
        call("hog", limits=Limits(max_memory=3 << 29, threads=1))
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("name", ["endless", "foreign", "swallowing"])
def test_the_clock_ends_a_call_and_what_it_had_is_kept(name):
    kept = []
    with pytest.raises(errors.TimeLimitError, match=r"after 0.5 s"):
        call(name, limits=Limits(timeout=0.5, threads=1), keep=kept.append)
    assert [codec.read(text, Skipped).reason for text in kept] == ["so far"]


def test_the_clock_ends_even_what_holds_the_interpreter(monkeypatch):
    monkeypatch.setattr("lipcert.supervise.child.GRACE", 0.5)
    with pytest.raises(errors.TimeLimitError):
        call("stuck", limits=Limits(timeout=0.3, threads=1), keep=lambda _: None)


def test_an_exception_here_stops_the_child_and_keeps_what_it_had():
    kept = []

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call("noisy", progress=interrupt, observed=True, keep=kept.append)
    assert [codec.read(text, Skipped).reason for text in kept] == ["so far"]
