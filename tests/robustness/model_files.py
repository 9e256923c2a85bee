"""What the tests of damaged model files share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kraken.lib.vgsl import TorchVGSLModel

SPEC = "[1,8,0,1 Cr3,3,2 Gn2 S1(1x0)1,3 Lbx2 Lfy2 Do CTr2,2,2 O1c3]"


def network() -> TorchVGSLModel:
    return TorchVGSLModel(vgsl=SPEC, model_type=["recognition"])


def assert_clear(error: BaseException, path: Path, field: str) -> None:
    """The message names the file and the field at fault, and isn't a dump of the content."""
    message = str(error)
    assert str(path) in message
    assert re.search(field, message.replace(str(path), ""), re.DOTALL)
    assert len(message) < 2000


class Bomb:
    """Leaves a trace when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)
