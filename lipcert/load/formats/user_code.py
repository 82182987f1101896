"""Samples from a function of the user's, named `module:function`. It runs that code, so it is asked for by name."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

from lipcert.errors import DataError
from lipcert.load.formats.base import RawSamples
from lipcert.load.formats.torch_tensors import from_object

_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_reference(text: str) -> bool:
    """Whether the text has the form `module:function`."""
    return _REFERENCE.fullmatch(text) is not None


def call(reference: str, *, allow_code: bool) -> RawSamples:
    """What the function returns: (inputs, labels), a dict, or the inputs. Raises DataError."""
    if not allow_code:
        raise DataError(
            f"{reference} names a Python function, and calling it runs its code",
            hint="pass --allow-code if you trust it, or store the samples as .npz",
        )
    module_name, _, function_name = reference.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        function = getattr(import_module(module_name), function_name)
        value = function()
    except (ImportError, AttributeError) as error:
        raise DataError(f"{reference} cannot be found: {error}", hint="modules are looked up from here too") from error
    except Exception as error:
        raise DataError(f"{reference} raised {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(here)
    raw = from_object(value, Path(reference))
    return RawSamples(inputs=raw.inputs, labels=raw.labels, files=(), notes=(*raw.notes, f"from {reference}"))
