"""Forced alignment: positions of the characters of known texts (spec chapter recognition §7)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kraken.lib.vgsl import TorchVGSLModel
from kraken.lib.vgsl.alignment_inference import align_lines
from kraken.tasks.recognition import RecognitionTaskModel

if TYPE_CHECKING:
    from PIL import Image

    from kraken.configs import RecognitionInferenceConfig
    from kraken.containers import Segmentation

logger = logging.getLogger("kraken")

__all__ = ["ForcedAlignmentTaskModel"]


class ForcedAlignmentTaskModel(RecognitionTaskModel):
    """Finds the characters of transcriptions on the page.

    Args:
        models: Loaded models. The first one for recognition is used.

    Attributes:
        net: The network used.
        one_channel_mode: ``'1'``, ``'L'`` or None: what its one-channel training lines were.
        seg_type: ``'baselines'``, ``'bbox'`` or None: what its training lines were.

    Raises:
        ValueError: If no model is one for recognition, or the first one isn't a CTC
            line recogniser with a codec.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        super().__init__(models)
        net = self.net
        ctc = type(getattr(net, "criterion", None)).__name__ == "CTCLoss"
        if not (isinstance(net, TorchVGSLModel) and ctc and net.codec is not None):
            raise ValueError(
                "Forced alignment is only supported by CTC sequence recognizers with a codec. It is only "
                f"supported by TorchVGSLModel with a CTC output layer, this is a {type(net).__name__} "
                f"{'without' if getattr(net, 'codec', None) is None else 'with'} codec."
            )

    def predict(  # type: ignore[override]
        self, im: Image.Image, segmentation: Segmentation, config: RecognitionInferenceConfig
    ) -> Segmentation:
        """Aligns the texts of a page with the network's output.

        Characters that the model doesn't know are left out of the records. Each other
        one has a cut that reaches half way to its neighbours, and the mean probability
        of its labels as confidence.

        Args:
            im: Page in any mode; not modified.
            segmentation: The lines of the page with texts in logical order.
            config: Batch size, padding and so on; not modified. ``bidi_reordering``
                ``L`` or ``R`` states the base direction of the texts.

        Returns:
            A copy of the segmentation with a record in place of each line, in the same
            order. The records are in display order whatever ``bidi_reordering`` says. A
            line that can't be aligned gives an empty record, the reason in its attribute
            ``failure``, and a warning.

        Raises:
            ValueError: If the model knows no character of any line, or doesn't fit the
                configuration.
        """
        self.net.prepare_for_inference(config)
        return dataclasses.replace(segmentation, lines=align_lines(self.net, im, segmentation))
