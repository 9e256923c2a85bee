"""Compiled kernels. Private: use the functions of :mod:`kraken.lib` instead."""

from kraken._rust import geom as geom
from kraken._rust import image as image
from kraken._rust import nn as nn
from kraken._rust import seg as seg
from kraken._rust import text as text

__all__ = ["geom", "image", "nn", "seg", "text"]
