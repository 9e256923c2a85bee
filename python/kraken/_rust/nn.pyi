"""Bindings of the kernels in ``kraken-core``, module ``nn``: parts of convolutions and LSTMs for training.

Arrays of images are N×H×W×C, of spectra N×H×tiles×64×C; C is a multiple of 16. Results go to ``out``
(and ``state``: where maxima were, 4 where no gradient flows). Functions of Winograd's algorithm take one
image H×W×C, where C is any number, and the transform 36×rows×⌈W/4⌉×C of its rows of tiles from ``row`` on.

Those of LSTMs take sequences×steps×directions×(4·units) of gates and the same with units of cells, states and
gradients of states, and directions×(4·units)×units of weights; units are a multiple of 16. ``gates`` come as
sums of inputs by weights and become gates in ``lstm_forward``, in ``lstm_backward`` gradients of these sums.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "accelerated",
    "analyse_gradients",
    "analyse_images",
    "convolve_first",
    "first_gradients",
    "lstm_backward",
    "lstm_forward",
    "step",
    "sum_products",
    "synthesise_gradients",
    "synthesise_images",
    "winograd_gradients",
    "winograd_inputs",
    "winograd_outputs",
]

_Floats = NDArray[np.float32]
_Bytes = NDArray[np.uint8]

def accelerated() -> bool: ...
def step(kernel: int) -> int: ...
def analyse_images(x: _Floats, kernel: int, out: _Floats, threads: int) -> None: ...
def analyse_gradients(
    gradient: _Floats,
    state: _Bytes,
    scale: _Floats,
    width: int,
    kernel: int,
    pool: int,
    out: _Floats,
    threads: int,
) -> None: ...
def synthesise_images(
    spectra: _Floats,
    bias: _Floats,
    scale: _Floats,
    width: int,
    kernel: int,
    pool: int,
    out: _Floats,
    state: _Bytes,
    threads: int,
) -> None: ...
def synthesise_gradients(spectra: _Floats, kernel: int, out: _Floats, threads: int) -> None: ...
def sum_products(x: _Floats, gradient: _Floats, out: _Floats, threads: int) -> None: ...
def convolve_first(
    x: _Floats,
    weight: _Floats,
    bias: _Floats,
    scale: _Floats,
    out: _Floats,
    state: _Bytes,
    threads: int,
) -> None: ...
def first_gradients(
    x: _Floats,
    gradient: _Floats,
    state: _Bytes,
    scale: _Floats,
    kernel: tuple[int, int],
    threads: int,
) -> tuple[_Floats, _Floats]: ...
def winograd_inputs(image: _Floats, row: int, out: _Floats, threads: int) -> None: ...
def winograd_gradients(image: _Floats, row: int, out: _Floats, threads: int) -> None: ...
def winograd_outputs(
    products: _Floats,
    bias: _Floats,
    row: int,
    image: _Floats,
    threads: int,
) -> None: ...
def lstm_forward(gates: _Floats, weights: _Floats, cells: _Floats, states: _Floats) -> None: ...
def lstm_backward(gates: _Floats, weights: _Floats, cells: _Floats, gradients: _Floats) -> None: ...
