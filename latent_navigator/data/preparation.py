"""How the images of a data set were prepared: polarity, size and position of what they show.

The encoder knows only images that were prepared as its training images were. So an image of the
user's is prepared in the same way, and what that is is learnt from the training images.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIDE = 28  # of an image, in pixels
FITS = ("mass", "box", "frame")
SAMPLE = 2000  # images that are looked at, evenly spread over all
LIKE_GROUND = 32  # grey levels; a border pixel this close to the ground is ground
UNIFORM = 0.6  # share of the border pixels that are ground, where there is a common ground
INK = 0.1  # of the contrast of full ink; what has more is ink
WHOLE = 27  # pixels; an item of this size is given by its frame, not by a box in it


@dataclass(frozen=True)
class Preparation:
    """How the items of a data set stand in their images.

    Args:
        ground: grey level of the background, 0 ... 255; None where the images have no common one.
        ink: grey level of the strongest ink, 0 ... 255.
        box: pixels of the longer side of an item; SIDE where fit is "frame".
        fit: "mass": the item is scaled to the box and its centre of mass moved to the middle;
            "box": scaled, and the middle of its bounding box moved there; "frame": the whole image
            is taken as it is.

    Raises:
        ValueError: if a value is out of range.
    """

    ground: int | None
    ink: int
    box: int
    fit: str

    def __post_init__(self) -> None:
        if self.fit not in FITS:
            raise ValueError(f"fit is {self.fit!r}; give one of {', '.join(FITS)}")
        for name, value, low, high in (
            ("ground", 0 if self.ground is None else self.ground, 0, 255),
            ("ink", self.ink, 0, 255),
            ("box", self.box, 1, SIDE),
        ):
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; give a whole number from {low} to {high}")
        if self.fit != "frame" and self.ground in (None, self.ink):
            raise ValueError(f"ground is {self.ground} and ink {self.ink}; give two grey levels")

    @property
    def paper(self) -> int:
        """The grey level to draw on."""
        return (255 if self.ink < 128 else 0) if self.ground is None else self.ground


MNIST = Preparation(ground=0, ink=255, box=20, fit="mass")


def learn_preparation(images: npt.NDArray[np.uint8]) -> Preparation:
    """How the images (N, 28, 28) uint8 of a data set were prepared.

    The ground is the median of all border pixels, if nearly all of them are close to it. What
    differs from it is ink, of the polarity that outweighs the other. The centre is the one that
    varies less from image to image.
    """
    step = math.ceil(len(images) / SAMPLE)
    sample = images[::step].astype(np.float32)  # (n, 28, 28)
    rim = np.ones((SIDE, SIDE), bool)
    rim[1:-1, 1:-1] = False
    border = sample[:, rim]  # (n, 108)
    ground = round(float(np.median(border)))
    change = sample - ground
    lighter = change.clip(0).sum() >= (-change).clip(0).sum()
    strongest = change.max((1, 2)) if lighter else change.min((1, 2))  # (n,)
    ink = round(float(np.median(strongest))) + ground
    if (np.abs(border - ground) <= LIKE_GROUND).mean() < UNIFORM or ink == ground:
        return Preparation(None, ink, SIDE, "frame")
    amount = change / (ink - ground)  # (n, 28, 28), 1 where the ink is full
    item = amount > INK
    sides, by_box, by_mass = [], [], []
    grid = np.arange(SIDE)
    for mask, weights in zip(item, amount.clip(0), strict=True):
        if not mask.any():
            continue
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        sides.append(1 + max(np.ptp(rows), np.ptp(columns)))
        by_box.append(((rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2))
        shares = weights / weights.sum()
        by_mass.append((shares.sum(1) @ grid, shares.sum(0) @ grid))
    box = round(float(np.median(sides)))
    if box >= WHOLE:
        return Preparation(ground, ink, SIDE, "frame")
    fit = "mass" if np.std(by_mass, axis=0).sum() <= np.std(by_box, axis=0).sum() else "box"
    return Preparation(ground, ink, box, fit)
