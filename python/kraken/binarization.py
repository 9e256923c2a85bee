"""Black and white pages (spec chapter legacy §1)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from kraken._rust import image as _image
from kraken.lib.exceptions import KrakenInputException
from kraken.lib.image_modes import to_grey
from kraken.lib.util import get_im_str, is_bitonal

__all__ = ["nlbin"]


def nlbin(
    im: Image.Image,
    threshold: float = 0.5,
    zoom: float = 0.5,
    escale: float = 1.0,
    border: float = 0.1,
    perc: float = 80,
    range: int = 20,
    low: float = 5,
    high: float = 90,
    *,
    threads: int = 1,
) -> Image.Image:
    """Binarises a page by levelling its background (T. Breuel's method).

    The brightness of the paper is estimated by percentile filters of a smaller version of the page
    and taken off; black and white are percentiles of the surroundings of what is likely ink.

    Args:
        im: Image of any mode; opacity is blended with white paper, 16-bit grey is reduced.
        threshold: Levelled brightness above which a pixel becomes white, 0 to below 1.
        zoom: Scale at which the background is estimated, above 0 to 4.
        escale: Scale of the masks for the estimate of black and white, above 0 to 100.
        border: Share of each side that this estimate ignores, 0 to below 0.5.
        perc: Percentile of the background filters, 1 to 100.
        range: Length of their windows in pixels of the smaller version, at least 1.
        low: Percentile that becomes black, 0 to below ``high``.
        high: Percentile that becomes white, up to 100.
        threads: Threads to use, 0 for one per core.

    Returns:
        The image in mode ``L`` with values 0 and 255 only; an image of two colours itself,
        whatever its mode and colours are. Pages too small for an estimate of their background
        are cut at the middle of their brightest and darkest values.

    Raises:
        KrakenInputException: The image has one colour only, or a parameter is out of its range.
    """
    if is_bitonal(im):
        return im
    grey = np.ascontiguousarray(to_grey(im))
    if not grey.size or grey.min() == grey.max():
        raise KrakenInputException("Image is empty")
    try:
        black = _image.nlbin(
            grey, threshold, zoom, escale, border, perc, int(range), low, high, threads=threads
        )
    except ValueError as error:
        raise KrakenInputException(f"{get_im_str(im)} can't be binarised: {error}") from error
    return Image.fromarray(black)
