"""What the fork server imports once, so that no child has to: all that an analysis of any format touches.

Only imports stand here. A computation would start threads, and threads do not survive a fork.
"""

from importlib import import_module

from lipcert.records import Report, codec

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
