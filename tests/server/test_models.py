"""The pool of models: the list, what is held in memory, and what names a model."""

import dataclasses
import json
import math
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from latent_navigator.app.drain import Drain
from latent_navigator.app.model_list import describe_entry, make_key, memory_of
from latent_navigator.app.model_page import list_models, model_page
from latent_navigator.app.models import Models
from latent_navigator.app.server import build_blocks
from latent_navigator.app.web_files import page_template
from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.explorer.data_files import model_hash
from latent_navigator.explorer.latent_space import LatentSpace
from tests.helpers import HANG
from tests.server.stand_ins import api_client, in_loop, running_page

TINY = 0.001  # MB
TEMPLATE = page_template()


@pytest.fixture(scope="module")
def folder(
    small_checkpoint: Checkpoint,
    ten_checkpoint: Checkpoint,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Models of two and ten dimensions, another of two with the same images, and a broken file."""
    folder = tmp_path_factory.mktemp("pretrained")
    save_checkpoint(folder / "two.pt", small_checkpoint)
    save_checkpoint(folder / "ten.pt", ten_checkpoint)
    config = small_checkpoint.training_config | {"beta": 3.0}
    other = dataclasses.replace(
        small_checkpoint,
        training_config=config,
        means=-small_checkpoint.means,
        centroids=-small_checkpoint.centroids,
        prototypes=-small_checkpoint.prototypes,
    )
    save_checkpoint(folder / "mirrored.pt", other)
    (folder / "broken.pt").write_bytes(b"<html>")
    return folder


@pytest.fixture
def models(folder: Path, tmp_path: Path) -> Models:
    """The models of the folder, and of runs/ below tmp_path, which does not exist yet."""
    return Models([folder / "two.pt"], [folder, tmp_path / "runs"])


@pytest.mark.guarantee("models-listed")
def test_all_models_are_listed_and_a_broken_file_has_its_reason(
    models: Models, folder: Path
) -> None:
    found = {entry.key: entry for entry in models.entries()}
    assert list(found) == ["two", "broken", "mirrored", "ten"], "the default one first"
    assert found["two"].description == "two: 2 dimensions, beta 1, 40 epochs"
    assert "10 dimensions" in found["ten"].label
    broken = found["broken"].record()
    assert not broken["usable"]
    assert broken["reason"].startswith("broken.pt: it is a web page, not a checkpoint")
    assert str(folder) not in str([entry.record() for entry in found.values()])
    with pytest.raises(ValueError, match=r"model broken cannot be opened\. broken.pt: it is a web"):
        models.space("broken")


@pytest.mark.guarantee("models-listed")
def test_a_run_that_finishes_appears_without_a_restart(
    models: Models, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="model is 'tidy'; give one of two, mirrored, ten"):
        models.space("tidy")
    (tmp_path / "runs").mkdir()
    shutil.copy(folder / "mirrored.pt", tmp_path / "runs" / "tidy.pt")
    assert models.space("tidy").means.equal(models.space("mirrored").means)
    assert "tidy" in [entry.key for entry in models.entries()]
    assert [replay["label"] for replay in models.replays(models.find())] == [
        "beta 1",
        "beta 3",
        "10 dimensions, beta 0.2",
        "beta 3, tidy",
    ]
    (tmp_path / "runs" / "tidy.pt").unlink()
    assert "tidy" not in [entry.key for entry in models.entries()]


def test_keys_are_safe_in_addresses_and_unique() -> None:
    assert make_key(Path("a/vae mnist?#&.pt"), ()) == "vae-mnist"
    assert make_key(Path("b/vae_mnist.pt"), {"vae_mnist", "vae_mnist-2"}) == "vae_mnist-3"
    assert make_key(Path("é.pt"), ()) == "model"


@pytest.mark.guarantee("models-in-memory")
def test_a_model_is_loaded_once_however_many_ask_for_it(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads, gate = [], threading.Barrier(8)
    load = Models._load

    def counted(self: Models, entry: Any) -> Any:
        loads.append(entry.key)
        return load(self, entry)

    monkeypatch.setattr(Models, "_load", counted)
    found: list[LatentSpace] = []

    def ask() -> None:
        gate.wait()
        found.append(models.space("ten"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["ten"]
    assert len({id(space) for space in found}) == 1


@pytest.mark.guarantee("models-in-memory")
def test_the_models_used_least_recently_go(folder: Path) -> None:
    wide = Models([folder / "two.pt"], [folder])
    for key in ("ten", "mirrored", "ten"):
        wide.space(key)
    assert wide.in_memory == ["two", "mirrored", "ten"]
    # Room for the default model and two others, but not for three.
    size = wide.loaded(wide.find()).memory + 2.5 * wide.loaded(wide.find("ten")).memory
    shutil.copy(folder / "ten.pt", folder / "ten-again.pt")
    try:
        narrow = Models([folder / "two.pt"], [folder], size / 1e6)
        for key in ("ten", "mirrored", "ten", "ten-again"):
            narrow.space(key)
        assert narrow.in_memory == ["two", "ten", "ten-again"]
        least = Models([folder / "two.pt"], [folder], TINY)
        first = least.space("ten")
        assert least.in_memory == ["two", "ten"], "the newest stays, however little is allowed"
        least.space("mirrored")
        assert least.in_memory == ["two", "mirrored"]
        assert least.space("ten") is not first
        assert least.space() is least.space("two")
    finally:
        (folder / "ten-again.pt").unlink()


def test_the_memory_of_a_model_counts_its_arrays(small_checkpoint: Checkpoint) -> None:
    space = LatentSpace(small_checkpoint)
    least = small_checkpoint.images.nbytes + sum(
        w.nbytes for w in small_checkpoint.weights.values()
    )
    before = memory_of(space)
    assert before > least
    grown = space.once(lambda _: np.zeros(10**6))
    assert memory_of(space) == pytest.approx(before + grown.nbytes)


@pytest.mark.guarantee("models-kept-apart")
def test_a_file_that_is_replaced_is_loaded_anew(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "mirrored.pt", tmp_path / "run.pt")
    models = Models([folder / "two.pt"], [tmp_path], TINY)
    old = model_page(models, TEMPLATE, "run")["page"]
    mirrored = models.space("run").means
    shutil.copy(folder / "two.pt", tmp_path / "run.pt")
    assert models.space(old["model"]["ask"]).means.equal(mirrored), "a page that is open goes on"
    assert models.space("run").means.equal(models.space().means)
    new = model_page(models, TEMPLATE, "run")["page"]
    assert new["data"] != old["data"]
    with pytest.raises(ValueError, match="model run has changed since this page was"):
        models.space(old["model"]["ask"])
    assert models.files_of(old["data"].split("/")[1]) is None
    (tmp_path / "run.pt").write_bytes(b"")
    with pytest.raises(ValueError, match=r"model run cannot be opened\. run.pt: it is empty"):
        models.space("run")


def test_the_page_of_a_model_is_whole(models: Models) -> None:
    for key in ("ten", "mirrored", "two"):
        answer = model_page(models, TEMPLATE, key)
        assert "${" not in answer["html"]
        assert "This model" in answer["html"]
    ten = model_page(models, TEMPLATE, "ten")
    assert "10 latent dimensions" in ten["html"]
    assert ten["page"]["latent_dim"] == 10
    assert ten["page"]["model"]["key"] == "ten"
    with pytest.raises(
        ValueError, match="this server has no such model; choose one of two, mirrored, ten"
    ):
        model_page(models, TEMPLATE, "nothing")
    with pytest.raises(ValueError, match=r"^broken\.pt: it is a web page"):
        model_page(models, TEMPLATE, "broken")
    listed = list_models(models, "mirrored")
    assert [model["key"] for model in listed["models"]] == ["two", "broken", "mirrored", "ten"]
    assert [replay["label"] for replay in listed["replays"]][:2] == ["beta 3", "beta 1"]
    removed = list_models(models, "removed")
    assert (len(removed["models"]), removed["replays"]) == (4, [])


def test_models_that_are_alike_have_labels_of_their_own(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "two.pt", tmp_path / "twin.pt")
    models = Models([folder / "two.pt"], [tmp_path])
    assert len({entry.label for entry in models.entries()}) == 2


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The address of a server of these models."""
    blocks, files = in_loop(lambda: build_blocks(Models([folder / "two.pt"], [folder])))
    with running_page(blocks, Drain(), files=files) as (_, found):
        yield found


def call(address: str, name: str, *data: object) -> httpx.Response:
    """A direct call of an endpoint over HTTP."""
    return httpx.post(f"{address}gradio_api/run/{name}", json={"data": list(data)})


def test_every_endpoint_takes_a_model_at_the_end(address: str) -> None:
    listed = httpx.get(f"{address}gradio_api/info").json()["named_endpoints"]
    assert len(listed) == 9
    for name, endpoint in listed.items():
        if name != "/models":
            last = endpoint["parameters"][-1]
            assert (last["parameter_name"], last["parameter_default"]) == ("model", None), name
            assert last["parameter_has_default"], name


@pytest.mark.guarantee("models-kept-apart")
def test_calls_with_and_without_a_model(address: str) -> None:
    """Old calls, which send none, are answered by the default model."""
    old = call(address, "jump_to_digit", 3, "typical").json()["data"][0]
    assert old == call(address, "jump_to_digit", 3, "typical", "two").json()["data"][0]
    mirrored = call(address, "jump_to_digit", 3, "typical", "mirrored").json()["data"][0]
    assert (mirrored["x"], mirrored["y"]) == (-old["x"], -old["y"])
    assert len(call(address, "random_sample", 5, "ten").json()["data"][0]["z"]) == 10
    keys = [found["key"] for found in call(address, "models").json()["data"][0]]
    assert keys == ["two", "broken", "mirrored", "ten"]
    unknown = call(address, "jump_to_digit", 3, "typical", "three")
    assert unknown.status_code == 400
    assert "model is 'three'; give one of two, mirrored, ten" in unknown.text


def test_decoding_with_and_without_a_model(address: str, ten_checkpoint: Checkpoint) -> None:
    assert call(address, "decode", 0.5, -0.5).status_code == 200
    client = api_client(address)
    images = [
        np.asarray(Image.open(client.predict(*arguments, api_name="/decode")))
        for arguments in ((0.5, -0.5), (0.5, -0.5, "two"), ([0.0] * 10, None, "ten"))
    ]
    assert np.array_equal(images[0], images[1])
    expected = LatentSpace(ten_checkpoint)
    assert np.array_equal(images[2], expected.decode_images(expected.position([0.0] * 10)[None])[0])
    kept = client.predict(x=0.5, y=-0.5, api_name="/digit_directions")
    assert len(kept) == 10


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize(
    ("z", "message"),
    [
        ([], "position is []; give 10 numbers"),
        ([0.5, -0.5], "position is [0.5, -0.5]; give 10 numbers"),
        ([0.0] * 11, "give 10 numbers"),
        ([0.0] * 4096, "give 10 numbers"),
        ([0.0] * 9 + [None], "z10 is None; give a number from -"),
        ([math.nan] + [0.0] * 9, "z1 is nan; give a number from -"),
        ([0.0, math.inf] + [0.0] * 8, "z2 is inf; give a number from -"),
        ([0.0, 0.0, 1e30] + [0.0] * 7, "z3 is 1e+30; give a number from -"),
    ],
)
def test_what_is_no_position_of_ten_dimensions_is_explained(
    address: str, z: list[object], message: str
) -> None:
    calls = {
        "decode": (z, None),
        "attributes": (z, None),
        "digit_directions": (z, None),
        "nudge": (z, None, "ink", 1),
        "morph_toward": (z, None, 3, 0.5),
        "interpolate": (z, 3, "linear", 9, False),
    }
    for name, arguments in calls.items():
        body = json.dumps({"data": [*arguments, "ten"]})  # NaN and Infinity as Python writes them
        answer = httpx.post(
            f"{address}gradio_api/run/{name}",
            content=body,
            headers={"content-type": "application/json"},
            timeout=HANG,
        )
        assert answer.status_code == 400, name
        assert message in answer.json()["error"], name


@pytest.mark.guarantee("models-kept-apart")
def test_each_model_has_its_own_files(
    address: str, folder: Path, ten_checkpoint: Checkpoint
) -> None:
    models = Models([folder / "two.pt"], [folder])
    two, mirrored = (models.find(key) for key in ("two", "mirrored"))
    first = httpx.get(f"{address}data/{two.digest}/encodings.bin")
    ten = httpx.get(f"{address}data/{model_hash(ten_checkpoint)}/encodings.bin")
    assert first.status_code == ten.status_code == 200
    assert first.content != ten.content
    assert httpx.get(f"{address}data/{'0' * 20}/encodings.bin").status_code == 404
    for replay in models.replays(mirrored):
        for name in (replay["file"], replay["comparison"]):
            if name:
                found = httpx.get(f"{address}data/{mirrored.digest}/{name}")
                assert found.status_code == 200, name
    missing = f"{address}data/{two.digest}/comparison/{'0' * 20}.bin"
    assert httpx.get(missing).status_code == 404


def test_entries_name_what_can_be_compared(
    small_checkpoint: Checkpoint, ten_checkpoint: Checkpoint
) -> None:
    flipped = dataclasses.replace(small_checkpoint, images=small_checkpoint.images.flip(2))
    found = [
        describe_entry(some, "key", "", lambda some=some: some).images  # type: ignore[misc]
        for some in (small_checkpoint, ten_checkpoint, flipped)
    ]
    assert found[0] == found[1] != found[2]
