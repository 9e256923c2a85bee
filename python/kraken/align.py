"""Forced alignment as in older releases (spec chapter legacy §5).

New code uses :class:`kraken.tasks.ForcedAlignmentTaskModel`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

from kraken.lib.bidi import get_display
from kraken.lib.util import open_image
from kraken.tasks import ForcedAlignmentTaskModel

if TYPE_CHECKING:
    from kraken.containers import Segmentation
    from kraken.lib.models import TorchSeqRecognizer

__all__ = ["forced_align"]


def forced_align(
    doc: Segmentation, model: TorchSeqRecognizer, base_dir: Literal["L", "R"] | None = None
) -> Segmentation:
    """Aligns the texts of a page with the output of a recogniser.

    Args:
        doc: Lines with texts in logical order; ``imagename`` is the page's image, which is
            turned upright as its EXIF data says.
        model: The recogniser.
        base_dir: Base direction of the texts, None for the model's or that of each line.

    Returns:
        A copy of ``doc`` with a record in display order in place of each line, an empty
        one where a line can't be aligned.

    Raises:
        KrakenInputException: If the image can't be read.
        ValueError: If the model knows no character of a line's text, or isn't a CTC
            recogniser with a codec.
    """
    warnings.warn(
        "kraken.align.forced_align is deprecated and will go with kraken 8; "
        "use kraken.tasks.ForcedAlignmentTaskModel.",
        DeprecationWarning,
        stacklevel=2,
    )
    task = ForcedAlignmentTaskModel([model.nn])
    codec = task.net.codec
    for line in doc.lines or []:
        if line.text and not codec.encode_parts(get_display(line.text, base_dir)):
            raise ValueError(
                f"Line {line.id}: the model's codec has no character of its text {line.text[:20]!r}."
            )
    config = model.inference_config(bidi_reordering=base_dir or True)
    return task.predict(open_image(doc.imagename), doc, config)
