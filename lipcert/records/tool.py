"""Which versions computed a report, without importing any of them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from lipcert.records.provenance import ToolRecord


def tool_record() -> ToolRecord:
    """Versions as installed."""
    return ToolRecord(
        version=installed("lipcert"),
        torch=installed("torch"),
        onnx=installed("onnx"),
        onnxruntime=installed("onnxruntime"),
    )


def installed(package: str) -> str:
    """The version of an installed package, "not installed" where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
