"""A model and its data, read and checked: what every analysis works on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.generalization import check_same_weights
from lipcert.errors import DataError
from lipcert.graph import PREPROCESS_CONSTANTS, Graph
from lipcert.load.check import check
from lipcert.load.fit import fit
from lipcert.load.labels import check_labels
from lipcert.load.model import choose_shape, load_model, read_bytes, read_source, to_graph
from lipcert.load.objects import read_object
from lipcert.load.preprocess import Preprocess, insert_preprocess
from lipcert.load.preprocess_settings import KEYS, PreprocessSettings, parse_settings, resolve_preprocess
from lipcert.load.samples import load_samples
from lipcert.load.sidecar import Sidecar, read_sidecar
from lipcert.load.source import Source
from lipcert.pipeline.demands import check_demands
from lipcert.pipeline.images import RawImages
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.records import FidelityRecord
from lipcert.samples import Samples

FIDELITY_SAMPLES = 64


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """graph: data units to logits. bare: without preprocessing. available: samples in the file before any were cut.

    training: the samples the model was trained on, where they were given. initial: the model before training, likewise.
    """

    id: str
    path: str
    sha256: str
    source: Source
    graph: Graph
    bare: Graph
    fidelity: FidelityRecord
    preprocess: Preprocess
    samples: Samples | None
    available: int
    training: Samples | None = None
    initial: Graph | None = None


@final
@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """What is given in memory and not by file: samples, training samples, and the network before training."""

    images: RawImages | None = None
    training: RawImages | None = None
    initial: object | None = None


def open_file(request: AnalyzeRequest, memory: InMemory | None = None) -> Subject:
    """Read a model file and its sidecar, and its data from the files named or from memory."""
    given = memory or InMemory()
    data = read_bytes(request.model)
    sidecar = read_sidecar(request.model)
    preprocess = _preprocess(request, sidecar)
    source = read_source(request.model, data, output_name=request.output_name)
    return open_source(
        source,
        request,
        preprocess=preprocess,
        samples=_samples(request, sidecar, preprocess) if given.images is None else given.images.samples(preprocess),
        training=_training(request, preprocess) if given.training is None else given.training.samples(preprocess),
        initial=given.initial,
        identity=(request.model.stem, str(request.model), hashlib.sha256(data).hexdigest()),
    )


def open_object(model: object, request: AnalyzeRequest, memory: InMemory | None = None) -> Subject:
    """Read a model in memory, and its data from the files named or from memory."""
    given = memory or InMemory()
    preprocess = _preprocess(request, None)
    return open_source(
        read_object(model, output_name=request.output_name),
        request,
        preprocess=preprocess,
        samples=_samples(request, None, preprocess) if given.images is None else given.images.samples(preprocess),
        training=_training(request, preprocess) if given.training is None else given.training.samples(preprocess),
        initial=given.initial,
        identity=(type(model).__name__, "", ""),
    )


def open_source(
    source: Source,
    request: AnalyzeRequest,
    *,
    preprocess: Preprocess,
    samples: Samples | None,
    identity: tuple[str, str, str],
    training: Samples | None = None,
    initial: object | None = None,
) -> Subject:
    """Capture and check a source together with its samples, which are still in their stored shape."""
    check_demands(request, samples, training)
    shape = _input_shape(source, request, samples)
    preprocess.check(shape)
    bare, source = to_graph(source, shape)
    graph = insert_preprocess(bare, preprocess)
    fitted = None if samples is None else _fitted(samples, bare, preprocess)
    used = fitted if fitted is None or request.settings.samples is None else fitted.first(request.settings.samples)
    name, path, sha256 = identity
    return Subject(
        id=name,
        path=path,
        sha256=sha256,
        source=source,
        graph=graph,
        bare=bare,
        fidelity=check(bare, source, None if used is None else model_inputs(graph, used.inputs[:FIDELITY_SAMPLES])),
        preprocess=preprocess,
        samples=used,
        available=0 if samples is None else len(samples),
        training=None if training is None else _fitted(training, bare, preprocess),
        initial=_initial(request, initial, graph, preprocess),
    )


def _initial(request: AnalyzeRequest, given: object | None, graph: Graph, preprocess: Preprocess) -> Graph | None:
    """The network before training, behind the same preprocessing. Raises UsageError where it is another network."""
    if request.init_model is not None:
        other = load_model(request.init_model, input_shape=graph.input_shape, output_name=request.output_name).graph
    elif given is not None:
        other, _ = to_graph(read_object(given, output_name=request.output_name), graph.input_shape)
    else:
        return None
    initial = insert_preprocess(other, preprocess)
    check_same_weights(graph, initial)
    return initial


def model_inputs(graph: Graph, inputs: Tensor) -> Tensor:
    """What the model itself reads: the values after the preprocessing nodes at the start of `graph`."""
    value = inputs
    for node in graph.nodes[1:]:
        constants = (source for source in node.raw.all_input_nodes if source.op == "get_attr")
        if not any(constant.target in PREPROCESS_CONSTANTS for constant in constants):
            break
        with torch.no_grad():
            value = node.run(value)
    return value


def _preprocess(request: AnalyzeRequest, sidecar: Sidecar | None) -> Preprocess:
    """Options before the sidecar before the defaults."""
    options = parse_settings({key: getattr(request, key) for key in KEYS}, "options")
    layers: list[PreprocessSettings] = [options] if sidecar is None else [options, sidecar.preprocess]
    return resolve_preprocess(layers)


def _samples(request: AnalyzeRequest, sidecar: Sidecar | None, preprocess: Preprocess) -> Samples | None:
    """Samples in their stored shape, where any are given."""
    path: str | Path | None = request.data or (sidecar.data if sidecar else None)
    labels: str | Path | None = request.labels or (sidecar.labels if sidecar and not request.data else None)
    if path is None:
        if request.labels is not None:
            raise DataError("--labels needs --data", hint="Name the samples the labels belong to.")
        return None
    return load_samples(
        path,
        labels=labels,
        scale=preprocess.scale,
        input_range=preprocess.input_range,
        allow_code=request.allow_code,
    )


def _training(request: AnalyzeRequest, preprocess: Preprocess) -> Samples | None:
    """Training samples in their stored shape, where any are given, read as the samples are."""
    if request.train_data is None:
        return None
    return load_samples(
        request.train_data,
        scale=preprocess.scale,
        input_range=preprocess.input_range,
        allow_code=request.allow_code,
    )


def _input_shape(source: Source, request: AnalyzeRequest, samples: Samples | None) -> tuple[int, ...]:
    """The file's word, else the option's, else the shape the samples are stored in."""
    told = request.input_shape
    if source.input_shape is None and told is None and samples is not None:
        told = stored_shape(samples, request.layout)
    return choose_shape(source, told, otherwise=", or samples with --data")


def stored_shape(samples: Samples, layout: str | None) -> tuple[int, ...]:
    """Shape of one sample as stored; a grey image without a channel axis gets one."""
    shape = tuple(samples.inputs.shape[1:])
    if len(shape) == 2:
        return (*shape, 1) if layout == "nhwc" else (1, *shape)
    return shape


def _fitted(samples: Samples, graph: Graph, preprocess: Preprocess) -> Samples:
    fitted = fit(samples, graph.input_shape, preprocess.layout)
    if fitted.labels is not None:
        check_labels(fitted.labels.numpy(), count=len(fitted), classes=graph.classes, path=fitted.path)
    return fitted
