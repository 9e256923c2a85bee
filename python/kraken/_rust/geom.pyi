"""Bindings of the kernels in ``kraken-core``, module ``geom``."""
