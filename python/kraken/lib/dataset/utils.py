"""Former place of the input transforms."""

from kraken.lib.dataset.transforms import ImageInputTransforms, collate_sequences

__all__ = ["ImageInputTransforms", "collate_sequences"]
