"""The records of data sets, and class names in sentences."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_navigator.data.dataset_info import (
    DATASETS,
    DatasetInfo,
    dataset_info,
    literal,
    plural,
    with_article,
)


@pytest.mark.guarantee("other-datasets")
@pytest.mark.parametrize(
    ("singular", "expected"),
    [
        ("7", "7s"),
        ("Sneaker", "Sneakers"),
        ("Dress", "Dresses"),
        ("T-shirt/top", "T-shirts/tops"),
        ("Trousers", "Trousers"),
        ("Berry", "Berries"),
        ("Key", "Keys"),
        ("ki", "kis"),
        ("き", "き"),
    ],
)
def test_plurals(singular: str, expected: str) -> None:
    assert plural(singular) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("Ankle boot", "an Ankle boot"), ("Bag", "a Bag"), ("8", "an 8")]
)
def test_articles(name: str, expected: str) -> None:
    assert with_article(name) == expected


def test_a_folder_has_a_record_of_its_own() -> None:
    info = dataset_info("some/shapes", ["bar", "ring"])
    assert (info.title, info.item, info.items) == ("the folder shapes", "image", "images")
    assert info.class_names == ("bar", "ring")
    assert info.class_word == "classes"
    with pytest.raises(ValueError, match="'some/shapes' has no class names"):
        dataset_info("some/shapes")


def test_the_record_of_mnist_applies_to_its_ten_digits_only() -> None:
    assert dataset_info("mnist", "0123456789") is DATASETS["mnist"]
    fewer = dataset_info("mnist", ["0", "1", "2"])
    assert fewer.items == "digits"
    assert not fewer.are_digits
    assert fewer.presets is None
    assert fewer.hints.morph == ""


def test_the_records_are_complete() -> None:
    for name, info in DATASETS.items():
        assert info.name == name
        assert len(info.class_names) == 10
        assert info.torchvision
        assert info.train_size == 60_000
    assert [info.items for info in DATASETS.values()] == ["digits", "garments", "characters"]


@given(text=st.text(max_size=30))
def test_literal_escapes_all_markdown_characters(text: str) -> None:
    assert re.sub(r"\\(.)", r"\1", literal(text)) == text
    assert not re.search(r"(?<!\\)[*_<>`\[\]]", literal(text).replace("\\\\", ""))


def test_a_data_set_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    record = DatasetInfo("cats", "Cats", ("tabby", "tuxedo"), item="cat", items="cats")
    monkeypatch.setitem(DATASETS, "cats", record)
    assert dataset_info("cats", ["tabby", "tuxedo"]) is record
