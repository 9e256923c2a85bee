"""All exceptions that the engine defines itself (spec chapter legacy §8).

Bad arguments that Python has a name for are ``ValueError``, ``TypeError`` and
so on; the classes here say which kind of *material* was at fault.
"""

from __future__ import annotations


class _MessageException(Exception):
    """Keeps its message as an attribute and through pickling."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(*(() if message is None else (message,)))
        self.message = message


class KrakenCodecException(_MessageException):
    """A codec can't be constructed or merged."""


class KrakenStopTrainingException(_MessageException):
    """Training should end."""


class KrakenEncodeException(_MessageException):
    """A text or label sequence isn't encodable or decodable in strict mode."""


class KrakenRecordException(_MessageException):
    """An OCR record is inconsistent."""


class KrakenInvalidModelException(_MessageException):
    """A model can't be loaded or is unfit for its purpose."""


class KrakenInputException(_MessageException):
    """An image, segmentation, mask or text direction is unusable."""


class KrakenRepoException(_MessageException):
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
