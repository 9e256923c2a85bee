"""All exceptions that the engine defines itself (spec chapter legacy §8).

Bad arguments that Python has a name for are ``ValueError``, ``TypeError`` and
so on; the classes here say which kind of *material* was at fault.
"""

from __future__ import annotations


class KrakenCodecException(Exception):
    """A codec can't be constructed or merged."""


class KrakenStopTrainingException(Exception):
    """Training should end."""


class KrakenEncodeException(Exception):
    """A text or label sequence isn't encodable or decodable in strict mode."""


class KrakenRecordException(Exception):
    """An OCR record is inconsistent."""


class KrakenInvalidModelException(Exception):
    """A model can't be loaded or is unfit for its purpose."""


class KrakenInputException(Exception):
    """An image, segmentation, mask or text direction is unusable."""


class KrakenRepoException(Exception):
    """The model repository gave an unusable answer."""


class KrakenCairoSurfaceException(Exception):
    """A drawing surface of the given size can't be made.

    Attributes:
        message: What happened.
        width: Width in pixels.
        height: Height in pixels.
    """

    def __init__(self, message: str, width: int, height: int) -> None:
        super().__init__(message, width, height)
        self.message = message
        self.width = width
        self.height = height

    def __repr__(self) -> str:
        return repr(self.message)
