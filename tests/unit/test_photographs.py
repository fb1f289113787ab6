"""Photographs of MNIST digits, in the conditions of `benchmarks.photographs`, are read right."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.photo_conditions import CONDITIONS, Mask, render
from latent_navigator.data.image_reader import read_image
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.data.preprocessing import Preprocessed, preprocess_crop
from tests.classifier import load_classifier

LEAST = 0.92  # of the photographs in a condition
COUNT = 13  # photographs of a condition; benchmarks.photographs reads hundreds
ON_PAPER = [key for key, condition in CONDITIONS.items() if not condition.sound]


def glyph(digits: LabelledImages, index: int) -> Mask:
    """An MNIST digit, enlarged and cropped to its ink."""
    image = Image.fromarray(digits.test_images[index].reshape(28, 28).numpy())
    large = image.resize((420, 420), Image.Resampling.BICUBIC).point(lambda v: 2 * max(0, v - 64))
    return np.asarray(large.crop(large.getbbox()))


def photograph(digits: LabelledImages, key: str, index: int) -> Image.Image:
    rng = np.random.default_rng([3, *key.encode(), index])
    neighbour = glyph(digits, int(rng.integers(len(digits.test_images))))
    return read_image(render(CONDITIONS[key], glyph(digits, index), neighbour, rng))


def is_right(found: Preprocessed, label: int) -> bool:
    x = torch.from_numpy(found.pixels)[None, None].float() / 255
    with torch.inference_mode():
        return int(load_classifier()(x).argmax()) == label


@pytest.mark.slow
@pytest.mark.guarantee("photographs")
@pytest.mark.parametrize("key", ON_PAPER)
def test_what_is_not_ink_is_left_out(digits: LabelledImages, key: str) -> None:
    chosen = range(0, len(digits.test_images), len(digits.test_images) // COUNT)
    right = [
        is_right(preprocess_crop(photograph(digits, key, i)), int(digits.test_labels[i]))
        for i in chosen
    ]
    assert np.mean(right) >= LEAST


@pytest.mark.guarantee("photographs")
@pytest.mark.parametrize("key", ["on_table", "squares", "frame_inside", "clean"])
def test_crop_that_is_given_back_changes_nothing(digits: LabelledImages, key: str) -> None:
    image = photograph(digits, key, 11)
    found = preprocess_crop(image)
    left, top, right, bottom = found.crop
    assert 0.2 < left < right < 0.8
    assert 0.2 < top < bottom < 0.8
    again = preprocess_crop(image, found.crop)
    assert again.crop == found.crop
    np.testing.assert_array_equal(again.pixels, found.pixels)


@pytest.mark.guarantee("photographs")
def test_crop_chooses_between_two_digits(digits: LabelledImages) -> None:
    sheet = Image.new("L", (800, 500), 230)
    noise = np.random.default_rng(4).normal(0, 3, (500, 800))
    labels = digits.test_labels
    pair = [int((labels == 0).nonzero()[0]), int((labels == 3).nonzero()[0])]
    for index, left in zip(pair, (60, 480), strict=True):
        mask = Image.fromarray(glyph(digits, index)).resize((220, 300))
        sheet.paste(40, (left, 100), mask)
    sheet.paste(30, (0, 0, 800, 40))  # an edge of the table: not a clean image
    image = Image.fromarray((np.asarray(sheet) + noise).clip(0, 255).astype(np.uint8))
    assert is_right(preprocess_crop(image, (0.0, 0.1, 0.5, 1.0)), 0)
    assert is_right(preprocess_crop(image, (0.5, 0.1, 1.0, 1.0)), 3)


@pytest.mark.parametrize(
    "crop",
    [(0.5, 0.0, 0.5, 1.0), (0.6, 0.0, 0.4, 1.0), (-0.1, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.2)],
)
def test_crop_outside_the_image_is_rejected(crop: tuple[float, float, float, float]) -> None:
    image = Image.new("L", (100, 100), 255)
    image.paste(0, (40, 20, 48, 80))
    with pytest.raises(ValueError, match=r"crop is .*fractions from 0 to 1"):
        preprocess_crop(image, crop)


def test_the_same_seed_renders_the_same_photograph(digits: LabelledImages) -> None:
    mask = glyph(digits, 0)
    files = [render(CONDITIONS["finger"], mask, mask, np.random.default_rng(5)) for _ in range(2)]
    assert files[0] == files[1]
    assert Image.open(io.BytesIO(files[0])).size == (600, 800)
