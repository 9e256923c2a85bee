"""An LSTM sequence by sequence, step by step and unit by unit, and its gradients by the chain rule."""

from __future__ import annotations

import numpy as np


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _order(steps: int, direction: int) -> list[int]:
    return list(range(steps)) if direction == 0 else list(range(steps - 1, -1, -1))


def forward(sums: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gates, cells and states.

    Args:
        sums: Inputs by weights plus biases (sequences, steps, directions, 4·units).
        weights: Those of the state (directions, 4·units, units).
    """
    gates = sums.astype(float)
    units = weights.shape[2]
    cells = np.zeros((*sums.shape[:3], units))
    states = np.zeros_like(cells)
    for n, d in np.ndindex(sums.shape[0], sums.shape[2]):
        cell, state = np.zeros(units), np.zeros(units)
        for t in _order(sums.shape[1], d):
            found = gates[n, t, d] + weights[d].astype(float) @ state
            i, f, g, o = np.split(found, 4)
            i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
            cell = f * cell + i * g
            state = o * np.tanh(cell)
            gates[n, t, d], cells[n, t, d], states[n, t, d] = np.concatenate([i, f, g, o]), cell, state
    return gates, cells, states


def backward(gates: np.ndarray, weights: np.ndarray, cells: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Gradients of the sums, given those of the states."""
    found = np.zeros_like(gates)
    units = weights.shape[2]
    for n, d in np.ndindex(gates.shape[0], gates.shape[2]):
        order = _order(gates.shape[1], d)
        of_state, of_cell = np.zeros(units), np.zeros(units)
        for step in range(len(order) - 1, -1, -1):
            t = order[step]
            i, f, g, o = np.split(gates[n, t, d], 4)
            before = cells[n, order[step - 1], d] if step else np.zeros(units)
            of_state = of_state + gradients[n, t, d]
            bent = np.tanh(cells[n, t, d])
            of_cell = of_cell + of_state * o * (1 - bent**2)
            parts = (
                of_cell * g * i * (1 - i),
                of_cell * before * f * (1 - f),
                of_cell * i * (1 - g**2),
                of_state * bent * o * (1 - o),
            )
            found[n, t, d] = np.concatenate(parts)
            of_cell = of_cell * f
            of_state = weights[d].astype(float).T @ found[n, t, d]
    return found
