"""Scripts around training and results: ``python -m kraken.contrib.NAME --help``."""
