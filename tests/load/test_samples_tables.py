"""Tables and image folders."""

import sys

import numpy as np
import pytest

from lipcert.errors import DataError
from lipcert.load.formats import base
from lipcert.load.samples import load_samples


def _csv(tmp_path, text, name="a.csv", **options):
    (tmp_path / name).write_text(text)
    return load_samples(tmp_path / name, **options)


def _refusal(load, *arguments, **options):
    with pytest.raises(DataError) as caught:
        load(*arguments, **options)
    return caught.value


CSV_CASES = {
    "no header": "1,2.5,0\n3,4,1\n",
    "header": "a,b,kind\n1,2.5,0\n3,4,1\n",
    "label first": "label,a,b\n0,1,2.5\n1,3,4\n",
    "named among numbers": "0,1,Target\n1,2.5,0\n3,4,1\n",
    "semicolons": "a;b;class\n1;2.5;0\n\n3;4;1\n",
    "tabs and quotes": '"a"\t"b"\t"y"\n"1"\t2.5\t0\n3\t4\t1\n',
    "byte order mark": "\ufeffa,b,y\n1,2.5,0\n3,4,1\n",
    "float labels": "1,2.5,0.0\n3,4,1.0\n",
}


@pytest.mark.parametrize("case", CSV_CASES)
def test_a_table_gives_its_features_and_labels(case, tmp_path):
    samples = _csv(tmp_path, CSV_CASES[case], input_shape=(2,), classes=2)
    assert samples.inputs.tolist() == [[1, 2.5], [3, 4]]
    assert samples.labels.tolist() == [0, 1]
    assert (samples.scale, samples.input_range) == (1, None)


def test_words_as_labels_are_numbered_alphabetically_and_the_note_says_so(tmp_path):
    samples = _csv(tmp_path, "5.1,3.5,setosa\n6.2,3.4,virginica\n5.9,3.0,iris\n")
    assert samples.labels.tolist() == [1, 2, 0]
    assert any("0 'iris', 1 'setosa'" in note for note in samples.notes)


def test_with_labels_elsewhere_every_column_is_a_feature(tmp_path):
    (tmp_path / "y.txt").write_text("1\n0\n")
    samples = _csv(tmp_path, "1,2\n3,4\n", labels=tmp_path / "y.txt")
    assert samples.inputs.tolist() == [[1, 2], [3, 4]]
    assert samples.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,y\n1,2,0\n1,2\n", "3 cells in row 3"),
        ("a,b,y\n1,x,0\n", "row 2, b of"),
        ("1,2,0\n,4,1\n", "row 2, column 1"),
        ("a,b,y\n", "header alone"),
        ("", "is empty"),
        ("label\n1\n2\n", "at least one feature"),
        ("1,2,0\nnan,2,1\n", "1 of 4 are not, the first is nan at sample 1"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(text, words, tmp_path):
    error = _refusal(_csv, tmp_path, text)
    assert words in error.message
    assert "a.csv" in error.message


def test_parquet_reads_like_csv(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"a": [1, 3], "label": ["x", "w"], "b": [2.5, 4.0]})
    parquet.write_table(table, tmp_path / "a.data")
    samples = load_samples(tmp_path / "a.data")
    assert samples.inputs.tolist() == [[1, 2.5], [3, 4]]
    assert samples.labels.tolist() == [1, 0]
    parquet.write_table(pyarrow.table({"a": ["u", "v"], "y": [0, 1]}), tmp_path / "b.parquet")
    assert "column 'a'" in _refusal(load_samples, tmp_path / "b.parquet").message
    content = (tmp_path / "a.data").read_bytes()
    (tmp_path / "a.data").write_bytes(content[:50])
    assert "a.data" in _refusal(load_samples, tmp_path / "a.data").message


def _picture(path, array):
    image = pytest.importorskip("PIL.Image")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.fromarray(array).save(path)


def test_an_image_folder_gives_its_pixels_class_by_class(tmp_path):
    colour = (np.arange(4 * 5 * 3) * 3).astype(np.uint8).reshape(4, 5, 3)
    _picture(tmp_path / "dog" / "1.png", colour)
    _picture(tmp_path / "cat" / "deep" / "2.png", colour[::-1])
    _picture(tmp_path / "cat" / "1.png", colour[:, :, 0])
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    samples = load_samples(tmp_path, input_shape=(3, 4, 5))
    assert samples.labels.tolist() == [0, 0, 1]
    assert np.array_equal(samples.inputs[2].numpy(), colour.transpose(2, 0, 1).astype(np.float32) / 255)
    assert np.array_equal(samples.inputs[0, 1].numpy(), colour[:, :, 0].astype(np.float32) / 255)
    assert any("0 cat, 1 dog" in note for note in samples.notes)
    nhwc = load_samples(tmp_path, input_shape=(4, 5, 3), layout="nhwc")
    assert np.array_equal(nhwc.inputs[2].numpy(), colour.astype(np.float32) / 255)


def test_image_folders_that_cannot_be_read(tmp_path):
    assert "no sub-folder" in _refusal(load_samples, tmp_path).message
    (tmp_path / "a").mkdir()
    assert "found none" in _refusal(load_samples, tmp_path).message
    _picture(tmp_path / "a" / "1.png", np.zeros((2, 3), np.uint8))
    _picture(tmp_path / "b" / "1.png", np.zeros((2, 2), np.uint8))
    error = _refusal(load_samples, tmp_path)
    assert "3x2" in error.message
    assert "2x2" in error.message
    (tmp_path / "b" / "1.png").write_bytes(b"\x89PNG broken")
    assert "cannot be read as an image" in _refusal(load_samples, tmp_path).message
    _picture(tmp_path / "b" / "1.png", np.zeros((2, 3, 4), np.uint8))
    assert "mode RGBA" in _refusal(load_samples, tmp_path).message


def test_numbered_folders_in_another_order_than_their_numbers_are_refused(tmp_path):
    for label in range(11):
        _picture(tmp_path / str(label) / "1.png", np.zeros((2, 3), np.uint8))
    assert "leading zeros" in _refusal(load_samples, tmp_path).hint


@pytest.mark.parametrize(("package", "extra"), [("PIL", "images"), ("pyarrow", "parquet")])
def test_a_missing_extra_is_named(package, extra, tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"anything")
    (tmp_path / "t").write_bytes(b"PAR1anything")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.Image", None)
    monkeypatch.setitem(sys.modules, f"{package}.parquet", None)
    error = _refusal(load_samples, tmp_path if extra == "images" else tmp_path / "t")
    assert error.hint == f"pip install lipcert[{extra}]"
    assert package in error.message
    assert base.FORMATS
