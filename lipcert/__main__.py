"""`python -m lipcert`, and the `lipcert` command."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

from lipcert.cli import shells


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Most commands end within a second, a tenth of which would go into searching fresh imports for garbage.
    gc.set_threshold(100_000)
    if shells.is_asking():
        sys.exit(shells.run())
    sys.exit(import_module("lipcert.cli.entry").run(sys.argv[1:]))


if __name__ == "__main__":
    main()
