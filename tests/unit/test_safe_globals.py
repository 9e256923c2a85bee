"""Registration with torch without importing it.

Each case runs in an interpreter of its own, because whether torch has been
imported is the point.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def run(code: str) -> str:
    pytest.importorskip("torch")
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


FAKE = """
    import sys, pathlib, tempfile
    root = pathlib.Path(tempfile.mkdtemp())
    (root / "torch").mkdir()
    (root / "torch" / "__init__.py").write_text("import torch.serialization")
    (root / "torch" / "serialization.py").write_text(
        "import time; time.sleep(DELAY)\\nsafe = []\\ndef add_safe_globals(c): safe.extend(c)")
    sys.path.insert(0, str(root))
    class A: pass
    class B: pass
"""


def fake(code: str, delay: float = 0.0) -> str:
    """Runs code beside a stand-in for torch that imports at once."""
    return run(FAKE.replace("DELAY", str(delay)) + code)


def test_torch_itself_before_and_after():
    code = """
        import sys
        from kraken.lib._safe_globals import register
        class A: pass
        class B: pass
        register(A)
        assert "torch" not in sys.modules
        import torch
        register(B)
        found = torch.serialization.get_safe_globals()
        print(A in found, B in found, torch.serialization.__loader__.__class__.__name__,
              len([f for f in sys.meta_path if "kraken" in type(f).__module__]))
    """
    assert run(code) == "True True SourceFileLoader 0"


def test_codec_is_registered():
    code = """
        from kraken.lib.codec import PytorchCodec
        import torch
        print(PytorchCodec in torch.serialization.get_safe_globals())
    """
    assert run(code) == "True"


def test_each_class_is_registered_once():
    code = """
    from kraken.lib._safe_globals import register
    register(A, B); register(A)
    import torch
    print([c.__name__ for c in torch.serialization.safe])
    """
    assert fake(code) == "['A', 'B']"


def test_registration_while_another_thread_imports():
    code = """
    import threading, time
    from kraken.lib._safe_globals import register
    thread = threading.Thread(target=lambda: __import__("torch"))
    thread.start(); time.sleep(0.1)
    register(A)
    thread.join()
    print([c.__name__ for c in sys.modules["torch.serialization"].safe])
    """
    assert fake(code, 0.5) == "['A']"


def test_registration_while_hooked_import_runs():
    code = """
    import threading, time
    from kraken.lib._safe_globals import register
    register(A)
    thread = threading.Thread(target=lambda: __import__("torch"))
    thread.start(); time.sleep(0.1)
    register(B)
    thread.join()
    print(sorted(c.__name__ for c in sys.modules["torch.serialization"].safe))
    """
    assert fake(code, 0.5) == "['A', 'B']"


def test_import_that_fails_can_be_repeated():
    code = """
    from kraken.lib._safe_globals import register
    register(A)
    source = root / "torch" / "serialization.py"
    good = source.read_text()
    source.write_text("raise ImportError('broken')")
    try:
        import torch
    except ImportError as error:
        print(error)
    source.write_text(good)
    import importlib; importlib.invalidate_caches()
    import torch
    print([c.__name__ for c in torch.serialization.safe])
    """
    assert fake(code) == "broken\n['A']"


def test_other_modules_import_as_usual():
    code = """
    from kraken.lib._safe_globals import register
    register(A)
    import json, importlib.util
    print(importlib.util.find_spec("no_such_module"), importlib.util.find_spec("json") is not None)
    """
    assert fake(code) == "None True"
