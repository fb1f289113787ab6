"""What the page tells of its model, and of VAEs, in more than a sentence."""

from pathlib import Path

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.dataset_info import TITLES, literal


def about(text: str, checkpoint: Checkpoint) -> str:
    """A text on MNIST, told of the pictures of a checkpoint."""
    if checkpoint.dataset == "mnist":
        return text
    noun, count = checkpoint.noun, f"{len(checkpoint.labels):,}"
    text = text.replace("handwritten digit", noun.one).replace("10,000 digits", f"{count} digits")
    if checkpoint.training_config.get("beta") != 4:
        text = text.replace("from 0 to 4", f"to {checkpoint.training_config.get('beta')}")
    return text.replace("digits", noun.many).replace("digit", noun.one)


def describe_model(checkpoint: Checkpoint) -> str:
    """What the checkpoint says of itself, as Markdown."""
    final, recipe = checkpoint.history[-1], checkpoint.training_config
    noun, mnist = checkpoint.noun.many, checkpoint.dataset == "mnist"
    if mnist:
        learnt = "the 60,000 training digits of MNIST"
        cannot = (
            "Two numbers cannot hold all that makes a handwritten digit: stroke width, style and "
            "rare shapes are averaged away, and 4 and 9 overlap."
        )
    else:
        folder = literal(Path(checkpoint.dataset).name)
        source = TITLES.get(checkpoint.dataset, f"the folder {folder}")
        learnt = f"the training {noun} of {source}"
        cannot = (
            f"Two numbers cannot hold all that makes a {checkpoint.noun.one}: style and rare "
            "shapes are averaged away, and like classes overlap."
        )
    packed = "beta = 4 " if recipe.get("beta") == 4 else "The prior "
    parameters = sum(value.numel() for value in checkpoint.weights.values())
    return (
        f"A convolutional VAE with {parameters:,} parameters and "
        f"{checkpoint.model_config.latent_dim} latent dimensions, trained on {learnt} for "
        f"{len(checkpoint.history)} epochs (beta {recipe.get('beta')}, "
        f"seed {recipe.get('seed')}).\n\n"
        f"On the {len(checkpoint.labels):,} test {noun}, in nats per image: reconstruction "
        f"{final['test_recon']:.1f}, KL {final['test_kl']:.2f}, ELBO {final['test_elbo']:.1f}.\n\n"
        f"**What it cannot do.** {cannot} {packed}"
        f"packs the {noun} tightly around the centre, which makes the map full and the pictures "
        "soft. Far from all points the decoder still draws something: it is invented, and the "
        "page says so."
    )
