"""OCR/HTR engine for any script, printed or handwritten.

Importing the package loads nothing heavy: torch comes with
:mod:`kraken.tasks`, :mod:`kraken.models` and :mod:`kraken.train` only.
"""
