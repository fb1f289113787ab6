"""Files that never change: addresses, headers, compression, made once."""

import asyncio
import dataclasses
import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path

import brotli
import httpx
import numpy as np
import pytest
import torch

from latent_navigator.app.compression import accepted_encoding
from latent_navigator.app.data_routes import HashedFiles, web_files
from latent_navigator.app.drain import Drain
from latent_navigator.app.errors import NOT_FOUND
from latent_navigator.app.layout import page_head
from latent_navigator.app.models import Models
from latent_navigator.app.server import build_app, build_blocks
from latent_navigator.app.web_files import STYLES, WEB
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.decoder_file import pack_decoder
from latent_navigator.explorer.data_files import (
    BLOCK,
    image_order,
    model_files,
    model_hash,
    source_hash,
    split_by_position,
)
from latent_navigator.explorer.latent_space import LatentSpace
from tests.server.stand_ins import ignore_pandas, in_loop, small_page, visit

pytestmark = ignore_pandas

CONTENT = b"0123456789" * 100


class Maker:
    """Makes a file of CONTENT, or fails while `fails`, and counts how often it is asked to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.calls = fails, 0

    def __call__(self) -> bytes:
        self.calls += 1
        if self.fails:
            raise RuntimeError("no memory")
        return CONTENT


def with_files(
    use: Callable[[httpx.AsyncClient], Awaitable[None]], files: HashedFiles, root_path: str = ""
) -> None:
    """Run `use(client)` with a client of an application that serves these files."""
    page = small_page()
    app = in_loop(
        lambda: build_app(page, Drain(), model="a model", files=[files], root_path=root_path)
    )
    visit(app, use)


@pytest.mark.parametrize("prefix", ["", "/digits"])
def test_a_file_is_kept_forever_and_compressed(prefix: str) -> None:
    files = HashedFiles("data", "abc", {"layers/x.bin": Maker()})
    assert files.address("layers/x.bin") == "data/abc/layers/x.bin"

    async def use(client: httpx.AsyncClient) -> None:
        path = f"{prefix}/{files.address('layers/x.bin')}"
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.content == CONTENT
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-encoding"] == "br"
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) < len(CONTENT) / 10
        older = await client.get(path, headers={"accept-encoding": "gzip"})
        assert older.headers["content-encoding"] == "gzip"
        assert older.content == CONTENT
        plain = await client.get(path, headers={"accept-encoding": "identity"})
        assert plain.content == CONTENT
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "accept-encoding"
        head = await client.head(path)
        assert head.headers["content-length"] == answer.headers["content-length"]

    with_files(use, files, root_path=prefix)


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, br;q=0.2", "br"),
        ("br;q=0, gzip", "gzip"),
        ("GZIP ; q = 0.5", "gzip"),
        ("brotli, x-gzip", None),
        ("identity", None),
        ("*", None),
        ("", None),
    ],
)
def test_compression_is_what_the_client_accepts(header: str, encoding: str | None) -> None:
    assert accepted_encoding(header) == encoding


@pytest.mark.parametrize(
    "path", ["data/abd/x.bin", "data/abc/y.bin", "data/abc/", "data/abc/x.bin/", "data/abc//x.bin"]
)
def test_another_hash_or_name_is_not_found_and_not_kept(path: str) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.get(f"/{path}")
        assert answer.status_code == 404
        assert answer.json() == {"detail": NOT_FOUND}
        assert answer.headers["cache-control"] == "no-store"

    with_files(use, HashedFiles("data", "abc", {"x.bin": Maker()}))


def test_an_unknown_file_has_no_address() -> None:
    with pytest.raises(KeyError, match=r"y\.bin"):
        HashedFiles("data", "abc", {"x.bin": Maker()}).address("y.bin")


def test_a_file_is_made_once_for_many_requests() -> None:
    maker = Maker()

    async def use(client: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(*(client.get("/data/abc/x.bin") for _ in range(20)))
        assert [answer.content for answer in answers] == [CONTENT] * 20

    with_files(use, HashedFiles("data", "abc", {"x.bin": maker}))
    assert maker.calls == 1


def test_a_file_that_could_not_be_made_is_made_by_the_next_request() -> None:
    maker = Maker(fails=True)

    async def use(client: httpx.AsyncClient) -> None:
        failed = await client.get("/data/abc/x.bin")
        assert failed.status_code == 500
        assert "immutable" not in failed.headers.get("cache-control", "")
        maker.fails = False
        assert (await client.get("/data/abc/x.bin")).content == CONTENT

    with_files(use, HashedFiles("data", "abc", {"x.bin": maker}))
    assert maker.calls == 2


def test_files_are_served_while_the_server_drains() -> None:
    page, drain, files = small_page(), Drain(), HashedFiles("data", "abc", {"x.bin": Maker()})
    app = in_loop(lambda: build_app(page, drain, model="a model", files=[files]))

    async def use(client: httpx.AsyncClient) -> None:
        drain.start()
        assert (await client.get("/data/abc/x.bin")).status_code == 200
        assert (await client.post("/data/abc/x.bin")).status_code == 404

    visit(app, use)


def test_the_modules_of_the_page_are_served_as_they_are_and_in_one_file() -> None:
    files = web_files()

    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.get(f"/{files.address('core/decoder.js')}")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.content == (WEB / "core" / "decoder.js").read_bytes()
        source_map = await client.get(f"/{files.address('page.js.map')}")
        assert source_map.headers["content-type"] == "application/json"
        assert "core/decoder.js" in source_map.json()["sources"]

    with_files(use, files)


def test_the_hash_of_the_modules_changes_with_any_of_them(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name, content in (("a.js", "1"), ("a.js", "2"), ("b.js", "1"), ("a.js", "1")):
        folder = tmp_path_factory.mktemp("web")
        for some in ("page.css", "page.js", "core/sheet_worker.js", name):
            (folder / some).parent.mkdir(exist_ok=True)
            (folder / some).write_text(content if some == name else "")
        monkeypatch.setattr("latent_navigator.app.web_files.WEB", folder)
        found.append(web_files().digest)
    assert found[0] == found[3]
    assert len(set(found)) == 3


def test_the_hash_of_a_model_changes_with_any_of_its_parts(released: Checkpoint) -> None:
    changed = [
        dataclasses.replace(released, **{name: getattr(released, name) + 1})
        for name in ("means", "logvars", "labels", "centroids", "prototypes", "images")
    ]
    snapshots = released.snapshots._replace(means=released.snapshots.means + 1)
    changed.append(dataclasses.replace(released, snapshots=snapshots))
    weights = released.weights | {"decoder.out.bias": torch.zeros(1)}
    changed.append(dataclasses.replace(released, weights=weights))
    changed.append(dataclasses.replace(released, class_names=list("abcdefghij")))
    hashes = {model_hash(checkpoint) for checkpoint in (released, *changed)}
    assert len(hashes) == 1 + len(changed)
    assert model_hash(released) == model_hash(dataclasses.replace(released))


def test_the_hash_of_a_model_changes_with_the_code(tmp_path: Path) -> None:
    package = tmp_path / "latent_navigator" / "explorer"
    package.mkdir(parents=True)
    hashes = {source_hash(tmp_path)}
    for path in (package / "map_layers.py", tmp_path / "latent_utils.py"):
        for code in ("SIDE = 1", "SIDE = 2"):
            path.write_text(code)
            hashes.add(source_hash(tmp_path))
    assert len(hashes) == 5
    (package / "notes.txt").write_text("no code")
    assert source_hash(tmp_path) in hashes


def test_a_model_has_its_encodings_and_images(space: LatentSpace) -> None:
    """Each image is where the encodings' file says, beside others that lie close to it."""
    files = model_files(space)
    order = image_order(space)
    assert sorted(order) == list(range(len(space.labels)))
    blocks = [name for name in files if name.startswith("images/")]
    assert len(blocks) == -(-len(order) // BLOCK)
    for block in (0, len(blocks) // 2, len(blocks) - 1):
        indices = order[block * BLOCK : (block + 1) * BLOCK]
        file = np.frombuffer(files[f"images/{block}.bin"](), np.uint8).reshape(-1, 28, 28)
        np.testing.assert_array_equal(file, space.images[indices])
    means = space.means.numpy()
    extents = [np.ptp(means[order[i : i + BLOCK]], axis=0).max() for i in range(0, 10_000, BLOCK)]
    assert np.median(extents) < 0.5, "each block is of one part of the map"


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000])
def test_all_blocks_but_the_last_are_full(count: int) -> None:
    means = np.random.default_rng(0).normal(size=(count, 3))
    sizes = [len(block) for block in split_by_position(means, np.arange(count))]
    assert sum(sizes) == count
    assert sizes[:-1] == [BLOCK] * (len(sizes) - 1)


def test_the_page_is_told_to_fetch_what_it_needs(space: LatentSpace) -> None:
    """The script, the styles and the data stand in the head, so that nothing waits."""
    _, (web, data) = in_loop(lambda: build_blocks(Models.of(space)))
    head = page_head(web, data)
    for name in ("page.js", STYLES):
        assert all(f'href="{web.address(name)}"' in content for content in head)
    for name in ("encodings.bin", "decoder.bin"):
        assert f'href="{data.address(name)}"' in head.default_model
        assert data.address(name) not in head.named_model, "another model has files of its own"


def test_a_model_has_its_decoder(space: LatentSpace) -> None:
    files = Models.of(space).held_files(model_hash(space.checkpoint))
    assert files is not None
    body = files.prepare("decoder.bin")
    assert body.plain == pack_decoder(space.checkpoint)
    assert list(body.compressed) == ["br"], "gzip is left until a client asks for it"
    assert files.prepare("decoder.bin", "gzip") is body
    assert gzip.decompress(body.compressed["gzip"]) == body.plain
    assert brotli.decompress(body.compressed["br"]) == body.plain
    assert len(body.compressed["br"]) < len(body.compressed["gzip"]) < 1_300_000
