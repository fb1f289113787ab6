"""A user's image is prepared as the images of the model's data set were, whatever these are."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.ink import BLANK
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.data.preparation import MNIST, Preparation, learn_preparation
from latent_navigator.data.preprocessing import preprocess, preprocess_crop
from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.explorer.latent_space import LatentSpace
from tests.classifier import load_classifier

Images = NDArray[np.uint8]


def negative(images: Images) -> Images:
    return 255 - images


def pencil_on_grey(images: Images) -> Images:
    levels: Images = (200 - images * (160 / 255)).round().astype(np.uint8)
    return levels


def cropped(image: Images) -> Images:
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def resized(image: Images, side: int) -> Images:
    scale = side / max(image.shape)
    height, width = (max(1, round(s * scale)) for s in image.shape)
    digit = Image.fromarray(image).resize((width, height), Image.Resampling.HAMMING)
    return np.asarray(digit, np.uint8)


def boxed(images: Images, side: int) -> Images:
    """Each digit scaled to a box of this side, in the middle of its image."""
    out = np.zeros_like(images)
    for image, whole in zip(images, out, strict=True):
        digit = resized(cropped(image), side)
        top, left = (28 - digit.shape[0]) // 2, (28 - digit.shape[1]) // 2
        whole[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return out


def small_and_boxed(images: Images) -> Images:
    return boxed(images, 14)


def filling(images: Images) -> Images:
    return boxed(images, 28)


def on_textured_ground(images: Images) -> Images:
    """Light digits on a ground that differs from image to image and within each."""
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 120, (len(images), 1, 1))
    slopes = np.linspace(0, 80, 28).astype(int)[None, :, None]
    changed: Images = np.maximum(images, levels + slopes).astype(np.uint8)
    return changed


@pytest.fixture(scope="module")
def images(digits: LabelledImages) -> Images:
    return digits.train_images.numpy()


@pytest.mark.guarantee("other-polarities")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda images: images, MNIST),
        (negative, Preparation(255, 0, 20, "mass")),
        (pencil_on_grey, Preparation(200, 40, 20, "mass")),
        (small_and_boxed, Preparation(0, 255, 14, "box")),
        (filling, Preparation(0, 255, 28, "frame")),
        (lambda images: negative(filling(images)), Preparation(255, 0, 28, "frame")),
    ],
)
def test_the_preparation_is_learnt(
    images: Images, change: Callable[[Images], Images], expected: Preparation
) -> None:
    found = learn_preparation(change(images))
    # Scaling digits down makes their strokes fainter.
    assert abs(found.ink - expected.ink) <= 12
    assert dataclasses.replace(found, ink=expected.ink) == expected


def test_images_without_a_common_ground_are_taken_whole(images: Images) -> None:
    found = learn_preparation(on_textured_ground(images))
    assert (found.ground, found.fit) == (None, "frame")


def test_committed_models_have_mnists_preparation(released: Checkpoint) -> None:
    assert released.train_data is None
    assert released.preparation == MNIST


def photo(image: Images, *, dark: bool) -> Image.Image:
    """An enlarged digit, dark on light paper or light on dark, away from the middle."""
    large = np.kron(image, np.ones((8, 8), np.uint8))
    sheet = np.pad(large, ((10, 90), (120, 20)))
    return Image.fromarray((235 - sheet * 0.8 if dark else 20 + sheet * 0.8).astype(np.uint8))


@pytest.mark.slow
@pytest.mark.guarantee("other-polarities")
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("change", [negative, pencil_on_grey, small_and_boxed])
def test_uploads_of_either_polarity_become_like_training_images(
    digits: LabelledImages, change: Callable[[Images], Images], dark: bool
) -> None:
    originals = digits.test_images[:60].numpy()
    preparation = learn_preparation(change(digits.train_images.numpy()))
    expected = change(originals).astype(int)
    found = np.stack([preprocess(photo(i, dark=dark), preparation) for i in originals]).astype(int)
    differences = np.abs(found - expected).mean((1, 2))  # (60,)
    # Prepared like MNIST: 190 and more where the polarity differs, 28 for another box.
    assert np.median(differences) < 6
    assert np.quantile(differences, 0.95) < 14


@pytest.mark.slow
@pytest.mark.guarantee("other-polarities")
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("turned", [True, False], ids=["negative", "as it is"])
def test_uploads_for_images_that_fill_the_frame_keep_it(
    digits: LabelledImages, dark: bool, turned: bool
) -> None:
    def change(images: Images) -> Images:
        return negative(filling(images)) if turned else filling(images)

    preparation = learn_preparation(change(digits.train_images.numpy()))
    originals = filling(digits.test_images[:60].numpy())
    expected = (255 - originals if turned else originals).astype(int)
    for image, goal in zip(originals, expected, strict=True):
        large = Image.fromarray(np.kron(255 - image if dark else image, np.ones((8, 8), np.uint8)))
        assert np.abs(preprocess(large, preparation) - goal).mean() < 5


def test_a_crop_of_a_frame_is_what_is_encoded(digits: LabelledImages) -> None:
    preparation = Preparation(0, 255, 28, "frame")
    image = digits.test_images[0].numpy()
    page = np.zeros((100, 200), np.uint8)
    page[10:66, 100:156] = np.kron(image, np.ones((2, 2), np.uint8))
    found = preprocess_crop(Image.fromarray(page), (0.5, 0.1, 0.78, 0.66), preparation)
    assert found.crop == (0.5, 0.1, 0.78, 0.66)
    assert np.abs(found.pixels.astype(int) - image).mean() < 2


def test_blank_frames_are_refused() -> None:
    preparation = Preparation(None, 255, 28, "frame")
    with pytest.raises(ValueError, match=BLANK):
        preprocess(Image.new("RGB", (50, 80), "white"), preparation)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ((0, 255, 20, "middle"), "fit is 'middle'"),
        ((0, 256, 20, "mass"), "ink is 256"),
        ((-1, 255, 20, "mass"), "ground is -1"),
        ((0.5, 255, 20, "mass"), "ground is 0.5"),
        ((0, 255, 0, "mass"), "box is 0"),
        ((0, 255, 29, "mass"), "box is 29"),
        ((None, 255, 20, "mass"), "ground is None"),
        ((9, 9, 20, "box"), "ground is 9 and ink 9"),
    ],
)
def test_impossible_preparations_are_refused(values: tuple[object, ...], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Preparation(*values)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.guarantee("other-polarities")
def test_photographs_for_a_dark_on_light_model_are_read(digits: LabelledImages) -> None:
    """The classifier, which knows light digits on black, reads their negatives."""
    preparation = learn_preparation(negative(digits.train_images.numpy()))
    originals, labels = digits.test_images[:100], digits.test_labels[:100]
    found = np.stack([preprocess(photo(i, dark=True), preparation) for i in originals.numpy()])
    classifier = load_classifier()
    x = torch.from_numpy(255 - found).unsqueeze(1).float() / 255  # (100, 1, 28, 28)
    read = classifier(x).argmax(1)
    assert (read == labels).float().mean() >= 0.95


@pytest.fixture(scope="module")
def negative_space(released: Checkpoint) -> LatentSpace:
    """The committed model with negative images, since sigmoid(-a) = 1 - sigmoid(a)."""
    weights = {
        name: -value if name.startswith("decoder.out.") else value
        for name, value in released.weights.items()
    }
    return LatentSpace(dataclasses.replace(released, weights=weights, images=255 - released.images))


@pytest.mark.slow
@pytest.mark.guarantee("other-polarities")
def test_attributes_of_a_dark_on_light_model_are_those_of_its_ink(
    space: LatentSpace, negative_space: LatentSpace
) -> None:
    prototypes = space.anchors["typical"]
    x, y = prototypes[7].tolist()
    assert negative_space.decode_images(prototypes).mean() > 128, "it is dark on light"
    expected = attribute_directions(space, x, y)["attributes"]
    for name, found in attribute_directions(negative_space, x, y)["attributes"].items():
        for key in ("value", "direction", "slope"):
            assert found[key] == pytest.approx(expected[name][key], rel=1e-3, abs=1e-3), name
    assert (
        nudge_attribute(negative_space, x, y, "ink", -1)["message"]
        == nudge_attribute(space, x, y, "ink", -1)["message"]
    )
