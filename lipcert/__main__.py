"""`python -m lipcert`, and the `lipcert` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from lipcert.cli.entry import run  # noqa: PLC0415  forked workers import this module and need no command line

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
