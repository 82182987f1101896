"""Training samples, read as the samples are, and what they add to the report."""

import numpy as np
import pytest

from lipcert.errors import DataError
from lipcert.pipeline import AnalyzeRequest, analyze_file
from lipcert.records import AnalyzeSettings, JacobianRecord


def _analyze(sample_models, **given):
    request = AnalyzeRequest(
        model=sample_models / "digits_mlp.onnx",
        settings=AnalyzeSettings(analyses=("jacobian",), samples=60),
        **{"data": str(sample_models / "digits_test.npz"), **given},
    )
    record = analyze_file(request).models[0].jacobian
    assert isinstance(record, JacobianRecord)
    return record


def test_gaps_are_reported_where_training_samples_are_given(sample_models):
    record = _analyze(sample_models, train_data=str(sample_models / "digits_train.npz"))
    found = {gap.quantity: gap for gap in record.gaps}
    assert found["clean_accuracy"].train >= found["clean_accuracy"].test
    assert found["clean_loss"].train <= found["clean_loss"].test
    assert found["spectral_norm"].test == pytest.approx(record.statistics["spectral_norm"].mean)
    assert _analyze(sample_models).gaps == ()


def test_training_samples_of_another_shape_are_refused(sample_models, tmp_path):
    path = tmp_path / "train.npz"
    np.savez(path, images=np.zeros((5, 3, 9, 9), dtype=np.uint8), labels=np.zeros(5, dtype=np.int64))
    with pytest.raises(DataError, match=r"train\.npz"):
        _analyze(sample_models, train_data=str(path))


def test_training_labels_beyond_the_classes_are_refused(sample_models, tmp_path):
    path = tmp_path / "train.npz"
    np.savez(path, images=np.zeros((5, 1, 8, 8), dtype=np.uint8), labels=np.full(5, 10))
    with pytest.raises(DataError, match=r"train\.npz"):
        _analyze(sample_models, train_data=str(path))


def test_training_samples_alone_are_refused(sample_models):
    with pytest.raises(DataError, match="--train-data"):
        _analyze(sample_models, data=None, train_data=str(sample_models / "digits_train.npz"))


def test_samples_that_were_trained_on_are_counted(sample_models):
    def overlap(train):
        request = AnalyzeRequest(
            model=sample_models / "digits_mlp.onnx",
            data=str(sample_models / "digits_test.npz"),
            train_data=str(sample_models / f"{train}.npz"),
            settings=AnalyzeSettings(analyses=("margins",), samples=60),
        )
        return [one for one in analyze_file(request).models[0].diagnostics if one.id == "data.overlap"]

    assert overlap("digits_train") == []
    (found,) = overlap("digits_test")
    assert found.message.startswith("60 of 60 samples are among the training samples")
    assert "--split train" in found.hint
