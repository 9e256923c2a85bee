"""What ``kraken show`` says about a model on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kraken._cli.model_search import load_task
from kraken.models.bundled import find_bundled


def read_card(name: str) -> str | None:
    """The model card of a bundled model."""
    model = find_bundled(name)
    if model is None or not model.card.is_file():
        return None
    return model.card.read_text(encoding="utf-8").strip()


def describe_file(path: Path) -> dict[str, Any]:
    """Facts about a model file.

    Raises:
        CommandError: It can't be loaded.
    """
    # Only the networks know what they compute; they take torch.
    from kraken.models import load_models

    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "models": [_describe(model) for model in load_task(load_models, path, "any task")],
    }


def _describe(model: Any) -> dict[str, Any]:
    """Facts about a model; what it computes is only known of VGSL networks."""
    # See describe_file.
    from kraken.lib.vgsl import TorchVGSLModel
    from kraken.lib.vgsl.cost import multiply_adds, nominal_size, weights

    facts: dict[str, Any] = {"tasks": list(model.model_type), "weights": weights(model)}
    if isinstance(model, TorchVGSLModel):
        height, width = nominal_size(model)
        facts["network"] = model.spec
        facts["input"] = {"height": height, "width": width}
        facts["multiply_adds"] = multiply_adds(model)
        if model.language_model is not None:
            facts["language_model"] = str(model.language_model)
    return facts


def as_text(facts: dict[str, Any]) -> str:
    """The facts in lines of heading and value."""
    rows = [("file", facts["path"]), ("size", f"{facts['bytes'] / 1e6:.2f} MB")]
    for model in facts["models"]:
        rows += [("task", ", ".join(model["tasks"])), ("weights", f"{model['weights']:,}")]
        if "network" in model:
            size = "{height}x{width}".format(**model["input"])
            cost = f"{model['multiply_adds'] / 1e9:.3g} G for an input of {size} pixels"
            rows += [("network", model["network"]), ("multiply-adds", cost)]
        if "language_model" in model:
            rows.append(("language model", model["language_model"]))
    return "\n".join(f"{heading:<14}  {value}" for heading, value in rows)
