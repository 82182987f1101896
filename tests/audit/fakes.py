"""An analysis that takes no time, and files that look like models. The name of a file says what becomes of it."""

import hashlib
import time
from dataclasses import replace

from lipcert.records import Report, codec
from tests.render.models import full_model
from tests.render.reports import report
from tests.supervise import victims

FUNCTION = "tests.audit.fakes:analyze"
codec.adapter(Report)  # as the fork server does: a child must not build it each time
ONNX = b"\x08\x08\x12\x04test:\x02\x12\x00"


def analyze(request, *, progress, keep):
    """A report on any file; a file called after a victim ends as it does."""
    kind = request.model.stem.partition("-")[0]
    if kind in {"segfault", "leave", "terabyte", "refused", "broken", "garbage", "killed"}:
        getattr(victims, kind)()
    if kind in {"endless", "foreign"}:
        getattr(victims, kind)(keep=lambda _: None)
    if kind == "slow":
        time.sleep(0.3)
    if kind == "hungry" and request.settings.batch_size > 200:
        raise MemoryError("a big batch")
    data = request.model.read_bytes()
    sha = hashlib.sha256(data).hexdigest()
    model = replace(full_model(), id=request.model.stem, path=str(request.model), sha256=sha)
    return replace(report(model), run=None, settings=request.settings)


def make_zoo(folder, count, *kinds, family=""):
    """A folder of so many files that look like models, and one of each kind."""
    where = folder / family
    where.mkdir(parents=True, exist_ok=True)
    for name in (*(f"net-{number:04}" for number in range(count)), *kinds):
        (where / f"{name}.onnx").write_bytes(
            ONNX + b"\x0a\x04" + hashlib.sha256(f"{family}{name}".encode()).digest()[:4]
        )
    return folder


def busy(request, *, progress, keep):
    """The same report after a second of computing."""
    end = time.process_time() + 1.0
    while time.process_time() < end:
        hashlib.sha256(bytes(1 << 16)).hexdigest()
    return analyze(request, progress=progress, keep=keep)
