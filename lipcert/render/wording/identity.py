"""Which file this is, what it reads, and how faithfully it was read."""

from __future__ import annotations

from lipcert.records import DataRecord, FidelityRecord, ModelRecord, PreprocessRecord, Skipped
from lipcert.render.notation import count, digest, shape, share, short, upper

_HEADS = {
    "log_softmax": "log softmax head taken off",
    "single_logit": "its one logit z read as the scores 0 and z",
    "sigmoid": "sigmoid taken off, its logit z read as the scores 0 and z",
}
_REFERENCES = {"torchscript": "TorchScript", "exported": "the exported program"}


def title(model: ModelRecord) -> str:
    """The file's own name, or the model's id where there is no file."""
    return file_name(model.path) or model.id


def file_name(path: str) -> str:
    """The last part of a path, of either kind of separator."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def identity(model: ModelRecord) -> list[str]:
    """Format, size, shapes and digest, one fact an item."""
    signature = model.signature
    head = [] if signature.head == "logits" else [_HEADS.get(signature.head, f"{signature.head} head taken off")]
    facts = [
        signature.description or model.format,
        f"{count(signature.parameters)} parameters",
        f"{shape(signature.input_shape)} -> {count(signature.classes)} classes",
        *head,
    ]
    return [*facts, f"sha256 {digest(model.sha256)}"] if model.sha256 else facts


def notes(model: ModelRecord) -> list[str]:
    """What was done to the file while it was read, unless a diagnostic says the same."""
    said = {item.message for item in model.diagnostics}
    return [note for note in model.signature.notes if note not in said]


def preprocess(record: PreprocessRecord) -> list[str]:
    """How a stored value becomes what the model sees, and the range perturbations stay in."""
    value = "x" if record.scale == 1 else f"x / {short(record.scale)}"
    if record.mean or record.std:
        value = f"({value} - mean) / std"
    facts = [f"reads {value}"]
    if record.mean:
        facts.append(f"mean {_values(record.mean)}")
    if record.std:
        facts.append(f"std {_values(record.std)}")
    facts.append(f"layout {record.layout}")
    facts.append(_range(record.input_range))
    return [*facts, "all by default" if record.source == "default" else f"source: {record.source}"]


def _values(values: tuple[float, ...]) -> str:
    shown = ", ".join(short(value, 4) for value in values[:4])
    return f"{shown}, ... ({len(values)})" if len(values) > 4 else shown


def _range(limits: tuple[float, float] | None) -> str:
    if limits is None:
        return "input range unknown, perturbations are not clipped"
    return f"input range [{short(limits[0], 4)}, {short(limits[1], 4)}]"


def data(record: DataRecord | None) -> list[str]:
    """The samples in use."""
    if record is None:
        return ["no data given"]
    used = f"{count(record.samples)} samples"
    if record.samples < record.available:
        used = f"the first {count(record.samples)} of {count(record.available)} samples"
    return [record.path or "tensors from Python", used, *([] if record.labelled else ["no labels"])]


def fidelity(record: FidelityRecord) -> list[str]:
    """The captured graph against the original runtime, and what else was probed."""
    facts = [_agreement(record)]
    if not record.deterministic:
        facts.append("two forwards differ: the model is not deterministic")
    if record.gradient == "zero":
        facts.append("the input gradient vanishes everywhere: attacks that follow it see nothing")
    if record.status != "faithful":
        facts.append({"note": "above 1e-5", "quantised": "quantised file"}.get(record.status, record.status))
    return facts


def _agreement(record: FidelityRecord) -> str:
    if isinstance(record.max_rel_diff, Skipped):
        return f"not compared with an original runtime: {record.max_rel_diff.reason}"
    runtime = _REFERENCES.get(record.reference, record.reference)
    text = f"agrees with {runtime} to the bit"
    if record.max_rel_diff:
        text = f"agrees with {runtime} to {upper(record.max_rel_diff, 1)} of the output range"
    if not isinstance(record.agreement, Skipped):
        text += f", same class on {share(record.agreement, record.samples)} of {count(record.samples)} inputs"
    return text
