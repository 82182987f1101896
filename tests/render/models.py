"""Records of one model made by hand."""

from dataclasses import replace

from lipcert.records import (
    AttackRecord,
    BracketRecord,
    CertificateRecord,
    DataRecord,
    DiagnosticRecord,
    Enclosure,
    FidelityRecord,
    GeneralizationRecord,
    LayerRecord,
    LipschitzRecord,
    MarginRecord,
    MeasureRecord,
    ModelRecord,
    NormalisedMarginRecord,
    PopulationRisk,
    PreprocessRecord,
    RadiusRecord,
    RobustnessRecord,
    SignatureRecord,
    Skipped,
    Soundness,
    SpectrumRecord,
)
from tests.render.jacobians import full_jacobian, spread

SPACE = "input [0, 1] before normalisation"


def enclosure(lower, upper, soundness=Soundness.PROVED, method="cholesky"):
    return Enclosure(lower=lower, upper=upper, unbounded=upper is None, soundness=soundness, method=method)


def layer(name="conv1", norm=None, **changes):
    norm = norm or enclosure(3.27712345, 3.27738)
    fields = {
        "name": name,
        "op": "convolution",
        "description": "conv 1->16 4x4 /2 @28x28",
        "input_shape": (1, 28, 28),
        "output_shape": (16, 14, 14),
        "parameters": 272,
        "stride": (2, 2),
        "padding": (1, 1),
        "dilation": (1, 1),
        "spectral_norm": norm,
        "linf_norm": enclosure(8.123, 8.123, Soundness.EXACT, "row sums"),
        "l1_norm": enclosure(7.001, 7.001, Soundness.EXACT, "column sums"),
        "frobenius_norm": enclosure(21.0, 21.0, Soundness.EXACT, "entries"),
        "stable_rank": enclosure(3.0711, 3.0715),
        "share": 0.28,
        "spectrum": SpectrumRecord(
            values=tuple(3.27712345 / (1 + i) for i in range(9)),
            residuals=(2.5e-9,) * 9,
            complete=False,
            method="dense",
        ),
    }
    return LayerRecord(**(fields | changes))


def bracket(norm, eps, certified, attacked, low, high, samples=1000):  # noqa: PLR0917  a row of a table
    return BracketRecord(
        norm=norm,
        eps=eps,
        eps_space=SPACE,
        samples=samples,
        certified_accuracy=certified,
        robust_accuracy=attacked,
        undecided=attacked - certified,
        population_risk=PopulationRisk(lower=low, upper=high, confidence=0.95, method="clopper-pearson"),
    )


def attacked(norm, eps, loss, accuracy):
    return RobustnessRecord(
        norm=norm,
        eps=eps,
        eps_space=SPACE,
        clipped=True,
        samples=1000,
        clean_loss=0.0312,
        clean_accuracy=0.989,
        attacks=(
            AttackRecord(attack="apgd-ce", robust_loss=loss * 0.93, robust_accuracy=min(accuracy + 0.011, 1.0)),
            AttackRecord(attack="apgd-targeted", robust_loss=loss * 0.97, robust_accuracy=min(accuracy + 0.002, 1.0)),
        ),
        robust_loss=loss,
        robust_accuracy=accuracy,
    )


def bound(name, log10_value=None, norm=None, eps=None, **changes):
    fields = {
        "quantity": "error on unseen inputs",
        "soundness": Soundness.PROBABILISTIC,
        "failure_probability": 0.05,
        "vacuous": None if log10_value is None else log10_value >= 0,
        "terms": {"samples": 1000.0, "margin": 4.0, "missed": 0.117, "upper": 0.0182},
        "assumptions": ("the training samples were drawn independently",),
        "source": "a theorem",
    }
    return GeneralizationRecord(bound=name, log10_value=log10_value, norm=norm, eps=eps, **(fields | changes))


def bounds():
    return (
        bound("holdout-clopper-pearson", -1.74, lower=0.0041),
        bound("holdout-clopper-pearson", -0.67, "linf", 0.1, lower=0.1289, terms={"upper": 0.2141}),
        bound("holdout-union", -1.70, lower=0.004),
        bound("holdout-union", -0.66, "linf", 0.1, lower=0.12, terms={"upper": 0.22}),
        bound("bartlett", 7.6972),
        bound("golowich", -0.3),
        bound("farnia-fgm", 22.98, "l2", 0.5, guarantee=False, soundness=Soundness.HEURISTIC),
        bound("robust-pac-bayes", None, "linf", 0.1, missing="give the training samples with --train-data"),
    )


def full_model(classes=10):
    return ModelRecord(
        id="mnist_conv",
        path="models/mnist_conv.onnx",
        sha256="9f3c" * 16,
        format="onnx",
        status="analyzed",
        signature=SignatureRecord(
            input_shape=(1, 28, 28),
            classes=classes,
            head="softmax",
            parameters=166_406,
            nodes=14,
            description="ONNX opset 17",
        ),
        fidelity=FidelityRecord(
            reference="onnxruntime",
            status="faithful",
            max_abs_diff=3.1e-6,
            max_rel_diff=2.6e-7,
            agreement=1.0,
            samples=64,
            row_independence=0.0,
            float64_diff=1e-7,
            deterministic=True,
            gradient="present",
        ),
        preprocess=PreprocessRecord(
            scale=255.0, mean=(0.1307,), std=(0.3081,), layout="nchw", input_range=(0.0, 1.0), source="options"
        ),
        data=DataRecord(path="mnist_test.npz", sha256="1" * 64, samples=1000, available=10_000, labelled=True),
        layers=(
            layer(),
            layer("conv2", enclosure(3.0301, 3.0307), description="conv 16->32 4x4 /2 @14x14", share=0.26),
            layer(
                "fc1",
                enclosure(2.37019, 2.37019, Soundness.EXACT, "svd"),
                description="linear 1568->100",
                op="addmm",
                l1_norm=Skipped(reason="the operator is too large to be written out"),
                share=0.2,
            ),
            layer("fc2", enclosure(1.6, 1.7, Soundness.PROBABILISTIC), description="linear 100->10", op="addmm"),
        ),
        lipschitz=(
            LipschitzRecord(norm="l2", scope="global", method="layered", value=enclosure(11.93, 19.38)),
            LipschitzRecord(norm="l2", scope="global", method="product of layer norms", value=enclosure(11.93, 52.1)),
            LipschitzRecord(norm="linf", scope="global", method="product of layer norms", value=enclosure(31.2, 1.2e4)),
        ),
        jacobian=full_jacobian(classes),
        margins=MarginRecord(
            samples=1000,
            clean_accuracy=0.989,
            clean_loss=0.0312,
            distribution=replace(spread(), min=-4.2, q05=0.8),
            class_accuracy=tuple(1 - 0.003 * index for index in range(classes)),
        ),
        robustness=(attacked("linf", 0.05, 0.21, 0.964), attacked("linf", 0.1, 0.52, 0.846)),
        certificates=(
            CertificateRecord(
                norm="linf",
                eps=0.05,
                samples=1000,
                certified_accuracy=0.961,
                method="crown",
                soundness=Soundness.PROVED,
            ),
            CertificateRecord(
                norm="linf", eps=0.1, samples=1000, certified_accuracy=0.812, method="crown", soundness=Soundness.PROVED
            ),
        ),
        radii=(
            RadiusRecord(norm="l2", method="layered", soundness=Soundness.PROVED, certified_radius=spread(0.1)),
            RadiusRecord(norm="linf", method="crown", soundness=Soundness.PROVED, certified_radius=spread(0.02)),
        ),
        brackets=(
            bracket("linf", 0.0, 0.989, 0.989, 0.0041, 0.0182),
            bracket("linf", 0.05, 0.961, 0.964, 0.0248, 0.0532),
            bracket("linf", 0.1, 0.812, 0.846, 0.1289, 0.2141),
        ),
        generalization=bounds(),
        normalised_margins=(
            NormalisedMarginRecord(
                normalisation="bartlett", split="train", log10_scale=5.0, distribution=spread(), curve=(0.0, 0.1)
            ),
        ),
        measures=(MeasureRecord(measure="path_norm", value=0.4356),),
        diagnostics=(
            DiagnosticRecord(id="attacks.masking", level="note", message="The loss is flat at 3 of 1,000 samples."),
            DiagnosticRecord(
                id="data.preprocessing",
                level="warning",
                message="Accuracy rises from 91.0 % to 98.9 % on 256 samples with mean 0.1307 and std 0.3081.",
                hint="Check the preprocessing of your training code; pass --mean and --std.",
            ),
        ),
    )
