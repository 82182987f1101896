"""What the fork server imports once, so that no child has to: all that an analysis of any format touches.

Only imports stand here. A computation would start threads, and threads do not survive a fork.
"""

import os
import signal
from importlib import import_module

from lipcert.records import Report, codec

# A Ctrl-C in the terminal is the parent's business, also while this server is still importing.
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.setpgid(0, 0)

# The last two are what torch itself imports when a graph is first captured.
for _name in (
    "lipcert.pipeline.files",
    "lipcert.pipeline.inspection",
    "lipcert.pipeline.certify",
    "torch._dynamo",
    "torch._inductor.fx_passes",
):
    import_module(_name)
codec.adapter(Report)
