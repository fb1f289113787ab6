"""How large the file of a run can become: known before its first step."""

from latent_navigator.checkpoint.snapshots import MAX_SNAPSHOTS, SAMPLE_SIZE, SIDE
from latent_navigator.checkpoint.validation import expected_weights
from latent_navigator.model_config import VAEConfig

IMAGE = 28 * 28  # bytes of an image before it is packed
EPOCH = 256  # bytes of an epoch's metrics, at least
FIXED = 2**20  # bytes of names, configuration, centroids and the archive itself, at least


def largest_size(config: VAEConfig, epochs: int, test_images: int) -> int:
    """An upper limit of the bytes of an unfinished run's state, which the checkpoint is part of.

    Args:
        epochs: of the whole run.
    """
    parameters = sum(value.numel() for value in expected_weights(config).values())
    weights_and_adam = 3 * 4 * parameters  # float32; Adam keeps two moments of each
    encodings = test_images * (2 * 4 * config.latent_dim + 8 + IMAGE)
    sample = min(test_images, SAMPLE_SIZE)
    snapshot = 2 * config.latent_dim * sample + SIDE * SIDE * IMAGE + 4  # means, grid and reach
    snapshots = min(epochs + 1, MAX_SNAPSHOTS) * snapshot
    return weights_and_adam + encodings + snapshots + EPOCH * epochs + FIXED
