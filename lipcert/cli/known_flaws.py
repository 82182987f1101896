"""Published flaws of the packages that open model files, by version.

Each was looked up in its advisory; nothing is listed that lipcert's way of opening files cannot meet. Where lipcert
guards against a flaw itself, that is said, and it is one guard more and not a reason to stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

Version = tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A flaw of `package`: in versions before `fixed`; where no fix is stated, up to `last`."""

    id: str
    package: str
    what: str
    fixed: str = ""
    last: str = ""

    def concerns(self, version: str) -> bool:
        """Whether an installed version has it."""
        found = numbers(version)
        return found < numbers(self.fixed) if self.fixed else found <= numbers(self.last)


FLAWS = (
    Flaw(
        id="CVE-2025-32434",
        package="torch",
        fixed="2.6.0",
        what="torch.load runs code from a hostile file even with weights_only=True",
    ),
    Flaw(
        id="CVE-2026-24747",
        package="torch",
        fixed="2.10.0",
        what="a hostile file corrupts memory in torch.load with weights_only=True",
    ),
    Flaw(
        id="CVE-2026-4538",
        package="torch",
        last="2.10.0",
        what="loading a hostile .pt2 deserialises objects; lipcert refuses a .pt2 that holds any",
    ),
    Flaw(
        id="CVE-2026-27489",
        package="onnx",
        fixed="1.21.0",
        what="external data are read through symbolic links; lipcert reads them itself and refuses links",
    ),
    Flaw(
        id="CVE-2026-34446",
        package="onnx",
        fixed="1.21.0",
        what="external data are read through hard links; lipcert reads them itself and refuses links",
    ),
    Flaw(
        id="CVE-2026-34447",
        package="onnx",
        fixed="1.21.0",
        what="external data are read from outside the model's folder; lipcert reads them itself, from inside only",
    ),
    Flaw(
        id="CVE-2026-34445",
        package="onnx",
        fixed="1.21.0",
        what="keys of external data overwrite attributes of onnx's objects; lipcert does not use these",
    ),
)


def flaws_of(versions: Mapping[str, str]) -> tuple[Flaw, ...]:
    """The flaws of what is installed; a package whose version is no number has none that are known."""
    return tuple(
        flaw for flaw in FLAWS if numbers(versions.get(flaw.package, "")) and flaw.concerns(versions[flaw.package])
    )


def numbers(version: str) -> Version:
    """The release in a version, as numbers: (2, 13, 0) of "2.13.0+cpu"; of a pre-release the one it leads to."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return () if found is None else tuple(int(part) for part in (*found[0].split("."), "0", "0"))[:3]
