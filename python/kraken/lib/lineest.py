"""Centre normalisation of box line images (spec chapter recognition §5).

T. Breuel's method: the text's centre is estimated per column from heavily blurred ink,
the line is straightened along it and scaled so that the spread of the ink about the
centre gives the height.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kraken._rust import image as _image

__all__ = ["CenterNormalizer", "dewarp"]

#: Standard deviations at which Gaussian kernels are cut off.
_TRUNCATE = 4.0


def _gaussian(sigma: float) -> NDArray[np.float64]:
    """Gaussian kernel with a sum of 1; a single 1 for no blur."""
    if sigma <= 1e-15:
        return np.ones(1)
    radius = int(_TRUNCATE * sigma + 0.5)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    kernel: NDArray[np.float64] = weights / weights.sum()
    return kernel


class CenterNormalizer:
    """Straightens lines along their centre and scales them to one height.

    Attributes:
        target_height: Height of the results in pixels.
        range: Half the height of the straightened band in mean distances of the ink
            from the centre.
        smoothness: Standard deviation of the blur along the line, in line heights.
        extra: Standard deviation of the centre's smoothing, in line heights.
        center: Row of the centre per column of the line measured last.
        mad: Mean distance in pixels of its ink from the centre.
        r: Half the height in pixels of its band.
        shape: Its (height, width).
    """

    def __init__(self, target_height: int = 48, params: tuple[float, float, float] = (4, 1.0, 0.3)) -> None:
        self.target_height = target_height
        self.range, self.smoothness, self.extra = params
        self.shape: tuple[int, ...] | None = None
        self.center: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.mad = 0.0
        self.r = 1

    def setHeight(self, target_height: int) -> None:
        """Sets the height of results in pixels."""
        self.target_height = target_height

    def measure(self, line: NDArray[Any]) -> None:
        """Finds the centre of a line.

        Args:
            line: H×W array, ink bright (up to 1) on 0.

        Raises:
            ValueError: If the array isn't two-dimensional, is empty or not finite.
        """
        if line.ndim != 2:
            raise ValueError(f"line has {line.ndim} dimensions, must be H×W")
        h = line.shape[0]
        self.shape = line.shape
        ink = np.ascontiguousarray(line, dtype=np.float64)
        across, along = _gaussian(h * self.smoothness), _gaussian(h * self.extra)
        self.center, self.mad = _image.measure_centre(ink, across, along)
        self.r = int(1 + self.range * self.mad)

    def dewarp(
        self, img: NDArray[Any], cval: float = 0, dtype: np.dtype[Any] | type = np.float32
    ) -> NDArray[Any]:
        """Straightens an image along the measured centre.

        Args:
            img: H×W array of the shape measured.
            cval: Value of what lies outside of it.
            dtype: Element type of the result.

        Returns:
            2r×W array whose middle is the centre.

        Raises:
            Exception: If the shape is another one.
        """
        if img.shape != self.shape:
            raise Exception(f"Image of shape {img.shape} isn't the one measured ({self.shape})")
        h, w = img.shape
        rows = self.center - self.r + np.arange(2 * self.r)[:, None]
        inside = (rows >= 0) & (rows < h)
        band = img[np.clip(rows, 0, h - 1), np.arange(w)]
        return np.where(inside, band, cval).astype(dtype)

    def normalize(
        self,
        img: NDArray[Any],
        order: int = 1,
        dtype: np.dtype[Any] | type = np.float32,
        cval: float = 0,
    ) -> NDArray[Any]:
        """Straightens an image and scales it to the target height.

        Args:
            img: H×W array of the shape measured.
            order: 1 for linear interpolation, 0 for the nearest value.
            dtype: Element type of the result.
            cval: Value of what lies outside of the image.

        Raises:
            ValueError: For another order.
        """
        band = self.dewarp(img, cval=cval)
        if order == 1:
            return _image.rescale_to_height(band, self.target_height, cval).astype(dtype, copy=False)
        if order != 0:
            raise ValueError(f"order is {order}, must be 0 (nearest) or 1 (linear)")
        step = band.shape[0] / self.target_height
        rows, columns = (np.arange(n) * step for n in (self.target_height, int(band.shape[1] / step)))
        inside = (rows <= band.shape[0] - 1)[:, None] & (columns <= band.shape[1] - 1)
        nearest = [
            np.minimum(np.floor(p + 0.5).astype(int), n - 1)
            for p, n in zip((rows, columns), band.shape, strict=True)
        ]
        return np.where(inside, band[np.ix_(*nearest)], cval).astype(dtype)


def dewarp(normalizer: CenterNormalizer, im: Image.Image) -> Image.Image:
    """Straightens a grey line image and scales it to the normaliser's height.

    Args:
        normalizer: Measures the line; holds its centre afterwards.
        im: Grey or bitonal image, dark ink on light ground.

    Returns:
        Image of mode ``F`` with the original's range of values. A line of one colour
        is only scaled.

    Raises:
        ValueError: If the image has several channels or no pixels.
    """
    pixels = np.asarray(im.convert("L") if im.mode == "1" else im)
    if pixels.ndim != 2:
        raise ValueError(f"Center normalisation needs a grey image, this one is {im.mode}")
    if not pixels.size:
        raise ValueError(f"Center normalisation of an empty image ({im.width}×{im.height})")
    paper = pixels.max()
    ink = paper - pixels.astype(np.float64)
    darkest = ink.max()
    if darkest == 0:
        height = normalizer.target_height
        width = max(1, int(im.width * height / im.height))
        return Image.new("F", (width, height), float(paper))
    normalizer.measure(ink / darkest)
    return Image.fromarray(normalizer.normalize(pixels, cval=float(paper)))
