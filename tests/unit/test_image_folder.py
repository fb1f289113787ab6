"""Folders of images in every usual form are read, and say what was found."""

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from latent_navigator.data.folder_layout import SUFFIXES, find_layout
from latent_navigator.data.image_folder import read_folder
from latent_navigator.data.labelled_images import LabelledImages


def write_folder(
    path: Path, digits: LabelledImages, classes: Sequence[str] = ("bag", "ankle boot", "coat")
) -> None:
    """Write a folder for each class, with 102 images each."""
    for label, name in enumerate(classes):
        (path / name).mkdir(parents=True)
        for i in range(102):
            image = digits.train_images[(label * 102 + i) % 500].numpy()
            Image.fromarray(image).save(path / name / f"{i}.png")


@pytest.mark.guarantee("other-datasets")
def test_every_sixth_image_of_a_folder_is_a_test_image(
    tmp_path: Path, digits: LabelledImages
) -> None:
    write_folder(tmp_path, digits)
    (tmp_path / ".hidden").mkdir()
    loaded = read_folder(str(tmp_path))
    assert loaded.class_names == ("ankle boot", "bag", "coat")
    assert len(loaded.test_labels) == 51
    assert len(loaded.train_labels) == 255
    assert (loaded.train_images[85] == digits.train_images[0]).all()


@pytest.mark.guarantee("datasets-checked")
def test_too_few_test_images_are_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)  # 17 test images of each of three classes
    for file in tmp_path.glob("*/*.png"):
        if int(file.stem) >= 90:
            file.unlink()
    with pytest.raises(ValueError, match="45 images for testing; the map needs 50"):
        read_folder(str(tmp_path))


@pytest.mark.parametrize("classes", [(), ("one",), tuple("abcdefghijk")])
def test_too_few_or_too_many_classes_are_named(tmp_path: Path, classes: tuple[str, ...]) -> None:
    for name in classes:
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="class") as caught:
        read_folder(str(tmp_path))
    assert str(tmp_path) in str(caught.value)


@pytest.mark.guarantee("datasets-checked")
def test_a_damaged_image_is_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    path = tmp_path / "coat" / "3.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged") as caught:
        read_folder(str(tmp_path))
    assert str(path) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an existing folder"):
        read_folder(str(tmp_path / "nowhere"))


def test_a_folder_can_have_its_own_split(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path / "train", digits, ("bag", "coat"))
    write_folder(tmp_path / "test", digits, ("bag", "coat"))
    for file in list((tmp_path / "test").rglob("*.png"))[::2]:
        file.unlink()
    loaded = read_folder(str(tmp_path))
    assert len(loaded.train_labels) == 204
    assert len(loaded.test_labels) == 102
    write_folder(tmp_path / "test", digits, ("hat",))
    with pytest.raises(ValueError, match="found only in train/: nothing; only in test/: hat"):
        read_folder(str(tmp_path))


@pytest.mark.guarantee("datasets-checked")
def test_an_empty_class_and_a_small_one_are_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    for i in range(102):
        (tmp_path / "coat" / f"{i}.png").unlink()
    with pytest.raises(ValueError, match="coat has no images"):
        read_folder(str(tmp_path))
    Image.new("L", (28, 28)).save(tmp_path / "coat" / "one.png")
    with pytest.raises(ValueError, match="the class coat has 1 images for training"):
        read_folder(str(tmp_path))


def write_split(root: Path, digits: LabelledImages, train: str, test: str) -> None:
    """Two classes in both parts: 204 images for training, 102 for testing."""
    write_folder(root / train, digits, ("bag", "coat"))
    write_folder(root / test, digits, ("bag", "coat"))
    for file in list((root / test).rglob("*.png"))[::2]:
        file.unlink()


@pytest.mark.guarantee("folders-recognised")
@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("train", "val"),
        ("train", "valid"),
        ("train", "validation"),
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("training", "testing"),
        ("shoes/train", "shoes/test"),
        ("a/b/Training", "a/b/Validation"),
    ],
)
def test_given_splits_are_recognised(
    tmp_path: Path, digits: LabelledImages, train: str, test: str
) -> None:
    write_split(tmp_path, digits, train, test)
    loaded = read_folder(str(tmp_path))
    assert loaded.class_names == ("bag", "coat")
    assert len(loaded.train_labels) == 204
    assert len(loaded.test_labels) == 102
    assert loaded.found == (
        f"{tmp_path}: found 2 classes, 204 images for training in {train}/, "
        f"102 for testing in {test}/."
    )


@pytest.mark.guarantee("folders-recognised")
@pytest.mark.parametrize("inner", ["train", "Training", "shoes", "shoes/train", "a/b/c", "test"])
def test_one_folder_around_the_classes_is_recognised(
    tmp_path: Path, digits: LabelledImages, inner: str
) -> None:
    write_folder(tmp_path / inner, digits)
    (tmp_path / "__MACOSX" / inner).mkdir(parents=True)
    (tmp_path / "readme.txt").write_text("Shoes")
    loaded = read_folder(str(tmp_path))
    assert len(loaded.train_labels) == 255
    assert len(loaded.test_labels) == 51
    assert f"255 images for training in {inner}/ and 51 for testing (every 6th" in loaded.found


@pytest.mark.guarantee("folders-recognised")
def test_a_flat_test_folder_is_not_used_and_said_so(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path / "train", digits)
    write_folder(tmp_path, digits, ("test",))
    loaded = read_folder(str(tmp_path))
    assert len(loaded.test_labels) == 51
    assert loaded.class_names == ("ankle boot", "bag", "coat")
    assert "Not used: 102 images in test/." in loaded.found


@pytest.mark.guarantee("folders-recognised")
def test_a_third_part_is_not_used_and_said_so(tmp_path: Path, digits: LabelledImages) -> None:
    write_split(tmp_path, digits, "train", "test")
    write_folder(tmp_path / "val", digits, ("bag", "coat"))
    assert "102 for testing in test/. Not used: 204 images in val/." in (
        read_folder(str(tmp_path)).found
    )


def test_a_class_can_be_called_train(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits, ("bus", "plane", "train"))
    assert read_folder(str(tmp_path)).class_names == ("bus", "plane", "train")


@pytest.mark.guarantee("folders-recognised")
def test_what_is_skipped_is_counted(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    write_folder(tmp_path / "bag", digits, ("more",))
    for i in range(35):
        (tmp_path / "coat" / f"{i}.heic").write_bytes(b"heic")
    for i in range(3):
        (tmp_path / "coat" / f"gone {i}.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "bag" / "notes").write_text("")
    (tmp_path / "one.png").write_bytes((tmp_path / "bag" / "0.png").read_bytes())
    loaded = read_folder(str(tmp_path))
    assert len(loaded.train_labels) == 255
    for phrase in (
        "35 .heic files",
        "3 dangling links",
        "102 images in subfolders of the class folders",
        "1 image beside the class folders",
        "1 file without a suffix",
    ):
        assert phrase in loaded.found


@pytest.mark.guarantee("folders-recognised")
@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([], "found 306 images, and no folders"),
        (["train"], "found 306 images in train/, and no class folders"),
        (["train", "test"], "found 306 images in test/, 306 images in train/, and no class"),
        (["coat"], "found 1 folder (coat) in"),
        (["a/b", "c/d"], "without images of their own (612 images in their subfolders)"),
    ],
)
def test_other_forms_are_explained(
    tmp_path: Path, digits: LabelledImages, folders: list[str], message: str
) -> None:
    for folder in folders or ["."]:
        target = tmp_path / folder
        write_folder(target, digits)
        for i, file in enumerate(sorted(target.glob("*/*.png"))):
            file.rename(target / f"{i}.png")
        for name in ("bag", "ankle boot", "coat"):
            (target / name).rmdir()
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_folder(str(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert "expected one folder of images per class" in str(caught.value)
    assert not re.search("delet|remov", str(caught.value))


def test_classes_without_readable_images_say_what_they_hold(
    tmp_path: Path, digits: LabelledImages
) -> None:
    write_folder(tmp_path, digits)
    for file in tmp_path.glob("*/*.png"):
        file.rename(file.with_suffix(".heic"))
    with pytest.raises(ValueError, match=r"3 folders .* of their own \(306 \.heic files\)"):
        read_folder(str(tmp_path))
    for file in tmp_path.glob("bag/*.heic"):
        file.rename(file.with_suffix(".png"))
    with pytest.raises(ValueError, match=r"class ankle boot has no images .* 102 \.heic files"):
        read_folder(str(tmp_path))


def test_messages_name_the_folder_as_it_was_given(
    tmp_path: Path, digits: LabelledImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "shoes", digits)
    assert read_folder("./shoes/").found.startswith("./shoes/: found 3 classes")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=re.escape("./empty/: found")):
        read_folder("./empty/")


@pytest.mark.parametrize("name", [" ", "\t", "x" * 31, "a\nb"])
def test_a_class_name_that_no_page_can_show_is_refused(
    tmp_path: Path, digits: LabelledImages, name: str
) -> None:
    write_folder(tmp_path, digits, ("bag", name))
    with pytest.raises(ValueError, match="which cannot be shown"):
        read_folder(str(tmp_path))


@pytest.mark.guarantee("datasets-checked")
def test_damaged_files_are_skipped_on_request(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    damaged = tmp_path / "coat" / "3.png", tmp_path / "bag" / "5.png"
    for path in damaged:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="--skip-damaged"):
        read_folder(str(tmp_path))
    loaded = read_folder(str(tmp_path), skip_damaged=True)
    assert len(loaded.train_labels) + len(loaded.test_labels) == 304
    assert f"Damaged and skipped: 2 files ({damaged[1]}, {damaged[0]})." in loaded.found
    for path in (tmp_path / "coat").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="class coat has 0 images for training and 0"):
        read_folder(str(tmp_path), skip_damaged=True)


def test_images_of_a_single_level_are_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    path = tmp_path / "bag" / "0.png"
    Image.new("L", (28, 28), 7).save(path)
    assert f"Of a single grey level: 1 file ({path})." in read_folder(str(tmp_path)).found


@pytest.mark.guarantee("datasets-checked")
def test_images_from_which_nothing_can_be_learnt_are_refused(
    tmp_path: Path, digits: LabelledImages
) -> None:
    write_folder(tmp_path, digits)
    files = sorted(tmp_path.glob("*/*.png"))
    for file in files:
        file.write_bytes(files[0].read_bytes())
    with pytest.raises(ValueError, match="all 306 images are alike") as caught:
        read_folder(str(tmp_path))
    assert str(files[0]) in str(caught.value)
    for i, file in enumerate(files):
        Image.new("L", (28, 28), i % 256).save(file)
    with pytest.raises(ValueError, match="all 306 images are of a single grey level each"):
        read_folder(str(tmp_path))


def save_all(files: Iterable[Path], encode: Callable[[Image.Image], Image.Image]) -> None:
    """Replace each image by what `encode` makes of it."""
    for file in files:
        with Image.open(file) as image:
            encode(image).save(file)


def twelve_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 16)


def black_on_transparent(image: Image.Image) -> Image.Image:
    return Image.merge("LA", (Image.new("L", image.size), image)).convert("RGBA")


def white_on_transparent(image: Image.Image) -> Image.Image:
    return Image.merge("LA", (Image.new("L", image.size, 255), image)).convert("RGBA")


@pytest.mark.guarantee("datasets-checked")
def test_twelve_bits_in_files_of_sixteen_are_not_black(
    tmp_path: Path, digits: LabelledImages
) -> None:
    write_folder(tmp_path, digits)
    plain = read_folder(str(tmp_path)).train_images.int()
    save_all(tmp_path.glob("*/*.png"), twelve_bits)
    loaded = read_folder(str(tmp_path))
    assert (loaded.train_images.int() - plain).abs().max() <= 1
    assert "values of 0 to 4080, read with 0 as black and 4095 as white" in loaded.found


@pytest.mark.guarantee("datasets-checked")
@pytest.mark.parametrize(
    ("encode", "ground"), [(black_on_transparent, "white"), (white_on_transparent, "black")]
)
def test_strokes_on_a_transparent_ground_are_visible(
    tmp_path: Path, digits: LabelledImages, encode: Callable[..., Image.Image], ground: str
) -> None:
    write_folder(tmp_path, digits)
    plain = read_folder(str(tmp_path)).train_images
    save_all(tmp_path.glob("*/*.png"), encode)
    loaded = read_folder(str(tmp_path))
    assert (loaded.train_images == (255 - plain if ground == "white" else plain)).all()
    assert f"Images: 306 transparent, put on {ground}." in loaded.found


def test_the_limits_of_uploads_do_not_hold_for_own_images(
    tmp_path: Path, digits: LabelledImages
) -> None:
    write_folder(tmp_path, digits)
    large = np.random.default_rng(0).integers(0, 256, (1300, 4200), dtype=np.uint8)
    path = tmp_path / "bag" / "0.png"
    Image.fromarray(large).save(path)
    assert path.stat().st_size > 5_000_000
    assert len(read_folder(str(tmp_path)).train_labels) == 255


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".pgm", ".ppm", ".jpg", ".bmp", ".webp"])
def test_other_formats_are_read(tmp_path: Path, digits: LabelledImages, suffix: str) -> None:
    write_folder(tmp_path, digits)
    plain = read_folder(str(tmp_path)).train_images.int()
    for file in list(tmp_path.glob("*/*.png")):
        with Image.open(file) as image:
            image.convert("L" if suffix == ".pgm" else "RGB").save(file.with_suffix(suffix))
        file.unlink()
    loaded = read_folder(str(tmp_path)).train_images.int()
    assert float((loaded - plain).abs().float().mean()) < 12


NAMES = st.sampled_from(["train", "Train", "test", "val", "a", "b", "7", ".git", "__MACOSX"])
FILES = st.lists(
    st.sampled_from(["1.png", "2.JPG", "3.tif", "x.heic", ".x.png"]), min_size=1, max_size=4
)
LEAVES = st.fixed_dictionaries({"": FILES})
CLASSES = st.dictionaries(st.sampled_from(["a", "b", "c"]), LEAVES, min_size=1)
PARTS = st.dictionaries(NAMES, CLASSES | LEAVES, max_size=4)
TREES = PARTS | CLASSES | LEAVES | st.fixed_dictionaries({"inner": PARTS | CLASSES})


def make_tree(root: Path, tree: Mapping[str, Any]) -> None:
    root.mkdir()
    for name, inner in tree.items():
        if name:
            make_tree(root / name, inner)
        else:
            for file in inner:
                (root / file).touch()


@pytest.mark.slow
@pytest.mark.guarantee("folders-recognised")
@settings(deadline=None, max_examples=150)
@given(tree=TREES)
def test_any_tree_is_recognised_or_explained(tree: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shoes"
        make_tree(root, tree)
        try:
            layout = find_layout(root, "./shoes")
        except ValueError as error:
            assert str(error).startswith("./shoes: ")
            assert "found" in str(error)
            assert not re.search("delet|remov", str(error))
        else:
            assert 2 <= len(layout.files) <= 10
            used = [file for split in layout.files.values() for part in split for file in part]
            assert len(used) == len(set(used))
            assert all(file.suffix.lower() in SUFFIXES for file in used)
            assert all(
                {file.parent.name for part in split for file in part} == {name}
                for name, split in layout.files.items()
            )
