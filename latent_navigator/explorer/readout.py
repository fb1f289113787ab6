"""What PyTorch makes of one position of the map, and how texts count the images around it."""

from typing import Any

from latent_navigator.explorer.latent_space import LatentSpace, base64_of

NAT = "A nat is a unit of information: 1 nat is 1.44 bits."
WELL_SUPPORTED = 5  # test images within the radius; as in web/core/readout.js


def decode_position(space: LatentSpace, x: object, y: object = None) -> dict[str, Any]:
    """The image at a position (see `LatentSpace.position`), and where the encoder puts that image.

    Returns:
        {"pixels": base64 of (28, 28) uint8, "round_trip": D numbers}.

    Raises:
        ValueError: if the position is not on the map.
    """
    image = space.decode_images(space.position(x, y)[None])  # (1, 28, 28)
    returned, _ = space.encode(image)
    return {"pixels": base64_of(image), "round_trip": returned[0].tolist()}


def count_encoded(space: LatentSpace, count: int) -> str:
    """As in "3 test digits were encoded"; starts in lower case where there is none."""
    info = space.info
    if count == 0:
        return f"no test {info.item} was encoded"
    subject = f"{info.item} was" if count == 1 else f"{info.items} were"
    return f"{count} test {subject} encoded"
