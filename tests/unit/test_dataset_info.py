"""Names of classes in sentences."""

import pytest

from latent_navigator.data.dataset_info import a, noun_of, plural


@pytest.mark.guarantee("other-datasets")
@pytest.mark.parametrize(
    ("one", "many"),
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
def test_plurals(one, many):
    assert plural(one) == many


def test_articles_and_nouns():
    assert (a("Ankle boot"), a("Bag"), a("8")) == ("an Ankle boot", "a Bag", "a 8")
    assert noun_of("kmnist").many == "characters" and noun_of("some/folder").one == "picture"
