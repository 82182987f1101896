"""What a model file is and how far it can be analysed, without analysing it."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TypedDict, final

from lipcert.analyses.layers import sketch_layers
from lipcert.errors import UnsupportedOperatorError
from lipcert.graph import Graph
from lipcert.load.check import check
from lipcert.load.model import choose_shape, read_bytes, read_source, to_graph
from lipcert.load.sniff import sniff
from lipcert.load.source import Source
from lipcert.pipeline.identity import signature
from lipcert.records import InspectRecord, OperatorRecord, Skipped
from lipcert.rules import Tier, tier


def inspect_file(
    path: Path, *, input_shape: tuple[int, ...] | None = None, output_name: str | None = None
) -> InspectRecord:
    """Format, signature, layers and operator support of one file.

    A file with operators that have no interpretation is a record with status "blocked". Raises what `load_model`
    raises for anything else.
    """
    data = read_bytes(path)
    try:
        source = read_source(path, data, output_name=output_name)
        graph, source = to_graph(source, choose_shape(source, input_shape))
    except UnsupportedOperatorError as error:
        return _blocked(path, data, error)
    return _examined(path, data, source, graph)


@final
class File(TypedDict):
    """The fields of a record that the file alone tells."""

    id: str
    path: str
    sha256: str
    size_bytes: int
    format: str


def _file(path: Path, data: bytes) -> File:
    digest = hashlib.sha256(data).hexdigest()
    return File(id=path.stem, path=str(path), sha256=digest, size_bytes=len(data), format=sniff(data))


def _examined(path: Path, data: bytes, source: Source, graph: Graph) -> InspectRecord:
    nodes = [node for node in graph.nodes if node.op not in ("input", "getitem")]
    tiers = {node.op: tier(node) for node in nodes}
    counts = Counter(node.op for node in nodes)
    bounded = sum(count for op, count in counts.items() if tiers[op] is Tier.BOUNDS)
    return InspectRecord(
        **_file(path, data),
        description=source.description,
        status="analysable" if bounded == len(nodes) else "partly",
        signature=signature(graph, source),
        fidelity=check(graph, source),
        nodes=len(nodes),
        analysable_nodes=bounded,
        operators=tuple(OperatorRecord(op=op, count=n, tier=tiers[op].value) for op, n in counts.most_common()),
        layers=sketch_layers(graph),
        notes=source.notes,
    )


def _blocked(path: Path, data: bytes, error: UnsupportedOperatorError) -> InspectRecord:
    skipped = Skipped(reason=error.message, operators=error.operators)
    return InspectRecord(
        **_file(path, data),
        description="",
        status="blocked",
        signature=skipped,
        fidelity=skipped,
        nodes=len(error.operators),
        analysable_nodes=0,
        operators=tuple(OperatorRecord(op=op, count=1, tier="unsupported") for op in error.operators),
    )
