"""What the pictures of a data set are called, in sentences."""

import re
from typing import NamedTuple


MAX_CLASSES = 10  # as many colours can be told apart
MAX_NAME = 30  # characters of a class name


class Noun(NamedTuple):
    """What one picture of a data set shows, and several."""

    one: str
    many: str


NOUNS = {
    "mnist": Noun("digit", "digits"),
    "fashion-mnist": Noun("garment", "garments"),
    "kmnist": Noun("character", "characters"),
}
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "kmnist": "KMNIST"}


def noun_of(dataset: str) -> Noun:
    """The noun of a data set; that of a folder is "picture"."""
    return NOUNS.get(dataset, Noun("picture", "pictures"))


def plural(name: str) -> str:
    """A class's name for several: 7s, Sneakers, Dresses, T-shirts/tops; Trousers stay Trousers."""
    if "/" in name:
        return "/".join(map(plural, name.split("/")))
    if re.search(r"(ss|us|x|z|ch|sh)$", name, re.IGNORECASE):
        return f"{name}es"
    if re.search(r"[b-df-hj-np-tv-xz]y$", name, re.IGNORECASE):
        return f"{name[:-1]}ies"
    # Other scripts do not add an s, and what ends in one mostly is a plural.
    return f"{name}s" if re.search(r"[0-9a-rt-z]$", name, re.IGNORECASE) else name


def a(name: str) -> str:
    """With its article: an Ankle boot, a Bag, a 7."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def literal(text: str) -> str:
    """As Markdown that shows just this text, whatever a class or a folder is called."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
