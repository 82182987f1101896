"""Whether a zip archive holds what was put into it."""

from __future__ import annotations

import io
import zipfile

from lipcert.errors import UnreadableModelError
from lipcert.load.preflight.archive import DAMAGE


def check_intact(data: bytes) -> None:
    """Compare every member of a model archive with its checksum, which torch does not look at.

    Raises UnreadableModelError: a damaged weight would be analysed as if it were the model's.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            damaged = archive.testzip()
    except DAMAGE as error:
        raise UnreadableModelError(
            f"the archive is damaged: {error}", hint="Copy or export the model again."
        ) from error
    if damaged is not None:
        raise UnreadableModelError(
            f"the archive is damaged: {damaged} does not match its checksum", hint="Copy or export the model again."
        )
