"""All models that a server offers, and the few of them that it holds in memory."""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from latent_navigator.app.data_routes import HashedFiles
from latent_navigator.app.model_list import (
    ModelEntry,
    Stamp,
    describe_entry,
    describe_file,
    files_in,
    load_explorable,
    make_key,
    memory_of,
    read_entry,
    stamp_of,
)
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.beta_comparison import comparison_file, comparison_name
from latent_navigator.explorer.data_files import model_files
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.training_replay import replay_files

MODEL_MEMORY = 400  # MB
REVISION = "@"  # between the key and the revision, in what pages send; in no key


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, with the files and the page's props that browsers have asked for."""

    entry: ModelEntry
    space: LatentSpace
    files: HashedFiles
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        """Bytes, about; they grow with what is asked of it."""
        return memory_of(self.space) + memory_of(self.files.bodies)


class Models:
    """The models of a server; which of them a user explores is known to the browser alone.

    Each is loaded when it is first asked for, once however many requests wait for it. A file that
    is replaced is loaded anew. The default model, which the page opens with, stays as it was when
    the server started.

    Args:
        given: files, of which the first is the default model.
        folders: whose *.pt are offered too; looked through whenever the list is asked for.
        memory: MB; when a model is loaded, those used least recently go until all that stay take
            less, but for the default one and the new one.

    Raises:
        ValueError, OSError: if a given file cannot be opened.
    """

    def __init__(
        self, given: Sequence[Path], folders: Sequence[Path] = (), memory: float = MODEL_MEMORY
    ) -> None:
        self._folders = list(folders)
        self._limit = memory * 1e6
        self._registry = threading.RLock()  # of the dictionaries below; held for moments only
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._paths: dict[str, Path] = {}  # by key
        self._entries: dict[str, tuple[Stamp | None, ModelEntry]] = {}  # by key
        self._loaded: OrderedDict[tuple[str, str], LoadedModel] = OrderedDict()
        self.default = ""
        for path in given:
            self._register(path)
        self._given = list(self._paths)
        for key, path in self._paths.items():
            stamp, checkpoint = stamp_of(path), load_explorable(path)
            entry = describe_file(checkpoint, key, path)
            self._entries[key] = stamp, entry
            if not self.default:
                self.default = key
                space = LatentSpace(checkpoint)
                self._pinned = LoadedModel(entry, space, self._files(entry, space))

    @classmethod
    def of(cls, space: LatentSpace, others: Mapping[str, Checkpoint] | None = None) -> "Models":
        """Models that are in memory already, without files: the default one, and others by key."""
        models = cls([])
        for key, checkpoint in {"default": space.checkpoint, **(others or {})}.items():
            entry = describe_entry(checkpoint, key, "", lambda found=checkpoint: found)  # type: ignore[misc]
            entry = replace(entry, short_label=checkpoint.label if key == "default" else key)
            models._entries[key] = None, entry
        models._given = list(models._entries)
        models.default = "default"
        entry = models._entries["default"][1]
        models._pinned = LoadedModel(entry, space, models._files(entry, space))
        return models

    # --- the list ---

    def entries(self) -> list[ModelEntry]:
        """All models and files, the default one first, each label once."""
        found = [self._entry(key) for key in self._keys()]
        labels = [entry.label for entry in found]
        return [
            replace(entry, label=f"{entry.label} ({entry.key})")
            if labels.count(entry.label) > 1 and entry.label != entry.key
            else entry
            for entry in found
        ]

    def _keys(self) -> list[str]:
        with self._registry:
            for path in files_in(self._folders):
                self._register(path)
            for key in [k for k, path in self._paths.items() if not path.exists()]:
                if key not in self._given:
                    del self._paths[key]
                    self._entries.pop(key, None)
            return [*self._given, *(key for key in self._paths if key not in self._given)]

    def _register(self, path: Path) -> None:
        known = {some.resolve() for some in self._paths.values()}
        if path.resolve() not in known:
            self._paths[make_key(path, self._paths)] = path

    def _entry(self, key: str) -> ModelEntry:
        """The entry of a known key, read again if its file has changed."""
        if key == self.default or key not in self._paths:
            return self._entries[key][1]
        path = self._paths[key]
        with self._locks[key]:
            stamp = stamp_of(path)
            known = self._entries.get(key)
            if known is None or known[0] != stamp:
                known = self._entries[key] = stamp, read_entry(path, key)
            return known[1]

    def find(self, model: object = None) -> ModelEntry:
        """The entry that a client names: a key, or nothing for the default one.

        A page adds the revision that it was opened with: "vae_mnist@0123456789ab".

        Raises:
            ValueError: if there is no such model, if it cannot be opened, or if its file has
                changed since the page was opened and the old one is no longer in memory.
        """
        if model is None or model == "":
            return self._pinned.entry
        key, _, revision = model.partition(REVISION) if isinstance(model, str) else ("", "", "")
        if key not in self._entries and key not in self._paths and key not in self._keys():
            valid = ", ".join(entry.key for entry in self.entries() if not entry.fault)
            raise ValueError(f"model is {model!r:.60}; give one of {valid}")
        if revision and (kept := self._loaded.get((key, revision))):
            return kept.entry
        entry = self._entry(key)
        if entry.fault:
            raise ValueError(f"model {key} cannot be opened. {entry.fault}")
        if revision and revision != entry.revision:
            raise ValueError(f"model {key} has changed since this page was opened; reload the page")
        return entry

    def listed(self, key: object) -> ModelEntry | None:
        """The entry of a key, also of a file that cannot be opened; None if there is none."""
        return next((entry for entry in self.entries() if entry.key == key), None)

    # --- the models in memory ---

    def space(self, model: object = None) -> LatentSpace:
        """The LatentSpace that a client names; see `find`.

        Raises:
            ValueError: as `find`, and if its file can no longer be read.
        """
        return self.loaded(self.find(model)).space

    def loaded(self, entry: ModelEntry) -> LoadedModel:
        """A model in memory, loaded if it is not."""
        if entry.key == self.default:
            return self._pinned
        place = entry.key, entry.revision
        with self._locks[entry.key]:
            found = self._loaded.get(place) or self._load(entry)
            with self._registry:
                is_new = place not in self._loaded
                self._loaded[place] = found
                self._loaded.move_to_end(place)
        if is_new:
            self._trim(found)
        return found

    def _load(self, entry: ModelEntry) -> LoadedModel:
        checkpoint = entry.load()
        if self._entry(entry.key).revision != entry.revision:
            raise ValueError(f"model {entry.key} is being replaced; try again")
        space = LatentSpace(checkpoint)
        return LoadedModel(entry, space, self._files(entry, space))

    def _trim(self, newest: LoadedModel) -> None:
        """Let go of the models that were used least recently, as far as the limit asks for it."""
        with self._registry:
            kept = [found for found in self._loaded.values() if found is not newest]
        left = self._limit - self._pinned.memory - newest.memory
        for found in reversed(kept):
            left -= found.memory
            if left < 0:
                with self._registry:
                    self._loaded.pop((found.entry.key, found.entry.revision), None)

    @property
    def in_memory(self) -> list[str]:
        """The keys of the models that are held, the default one first."""
        with self._registry:
            return [self.default, *(key for key, _ in self._loaded)]

    # --- their files ---

    def files_of(self, digest: str) -> HashedFiles | None:
        """The files below /data/<digest>/, loaded if need be; None if there is no such model."""
        if files := self.held_files(digest):
            return files
        entries = (self._entry(key) for key in self._keys())
        return next((self.loaded(entry).files for entry in entries if entry.digest == digest), None)

    def held_files(self, digest: str) -> HashedFiles | None:
        """The same, if they are in memory, perhaps of a file that has since been replaced."""
        with self._registry:
            held = [self._pinned, *self._loaded.values()]
        return next((some.files for some in held if some.files.digest == digest), None)

    def _files(self, entry: ModelEntry, space: LatentSpace) -> HashedFiles:
        (own,) = replay_files({entry.short_label: space.checkpoint}).values()
        makers = model_files(space) | {_replay(entry): own.make}
        return HashedFiles("data", entry.digest, _WithComparisons(self, entry, makers))

    def comparable(self, entry: ModelEntry, *, known: bool = False) -> list[ModelEntry]:
        """The other models with the same test images.

        Args:
            known: only those that were given; the others would have to be read.
        """
        keys = self._given if known else self._keys()
        others = [self._entry(key) for key in keys if key != entry.key]
        return [other for other in others if other.images == entry.images and not other.fault]

    def replays(self, entry: ModelEntry, *, known: bool = False) -> list[dict[str, str | None]]:
        """The trainings that the page of a model shows: its own, and those of comparable models.

        Returns:
            for each {"key", "label", "file": relative to its own files, "comparison": of both
            models in two dimensions, or None}.
        """
        found: list[dict[str, str | None]] = [
            {
                "key": entry.key,
                "label": entry.short_label,
                "file": _replay(entry),
                "comparison": None,
            }
        ]
        for other in self.comparable(entry, known=known):
            label = pair_label(entry, other)
            taken = any(some["label"] == label for some in found)
            found.append(
                {
                    "key": other.key,
                    "label": f"{label}, {other.key}" if taken else label,
                    "file": f"../{other.digest}/{_replay(other)}",
                    "comparison": _comparison(entry, other),
                }
            )
        return found


def pair_label(entry: ModelEntry, other: ModelEntry) -> str:
    """What a model is called beside another, which may be alike but for its file."""
    same = entry.short_label == other.short_label
    return f"{other.short_label}, {other.key}" if same else other.short_label


def _replay(entry: ModelEntry) -> str:
    """The file of a model's own training, among its files."""
    return f"replay/{entry.replay}.bin"


def _comparison(entry: ModelEntry, other: ModelEntry) -> str | None:
    """The file that compares two models; only in two dimensions, where clouds are ellipses."""
    if entry.latent_dim != 2 or other.latent_dim != 2:
        return None
    return f"comparison/{comparison_name(entry.replay, other.replay)}.bin"


class _WithComparisons(dict):  # type: ignore[type-arg]
    """The makers of a model's files; those of comparisons with others are found when asked for.

    So a model that appears in runs/ is compared without a restart, also by a server that has not
    made the page.
    """

    def __init__(self, models: Models, entry: ModelEntry, makers: Mapping[str, object]) -> None:
        super().__init__(makers)
        self._models, self._entry = models, entry

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        if not str(name).startswith("comparison/"):
            return False
        for other in self._models.comparable(self._entry):
            if _comparison(self._entry, other) == name:
                self[name] = partial(self._compare, other)
                return True
        return False

    def _compare(self, other: ModelEntry) -> bytes:
        own = self._models.loaded(self._entry).space
        return comparison_file(
            own, self._models.loaded(other).space, pair_label(self._entry, other)
        )
