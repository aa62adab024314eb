"""Modules of the firmware that the host uses, too: what they know must not be written twice.

They import nothing of MicroPython, and are loaded under a name of their own, wherever this runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

from host_tools import paths

_PACKAGE = "jobs_sandbox_firmware"


def load(name: str) -> ModuleType:
    """Return the firmware's module `sandbox.NAME`, `texts` or `topics` for instance."""
    if _PACKAGE not in sys.modules:
        folder = paths.ROOT / "firmware" / "sandbox"
        found = importlib.util.spec_from_file_location(
            _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert found is not None and found.loader is not None  # noqa: S101 (it is a Python file)
        package = importlib.util.module_from_spec(found)
        sys.modules[_PACKAGE] = package
        found.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.{name}")
