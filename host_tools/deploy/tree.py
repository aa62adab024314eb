"""What a deploy puts on a board, as files in a folder, to be copied by any other tool."""

from __future__ import annotations

import shutil
from pathlib import Path

from host_tools.deploy import build, plan, settings
from host_tools.deploy.settings import Device
from host_tools.errors import ToolError

_ABI = 6  # of every MicroPython from 1.23 on; a deploy asks the board instead
_VIRTUAL = "virtual"


def write(
    folder: Path, device: Device, definition: str, wifi: dict[str, str] | None
) -> dict[str, bytes]:
    """Write the tree, private key and all, readable for this user only; return path → content.

    Builds for ESP32 have umqtt frozen in; only the virtual board gets it. What an earlier run
    left in the folder goes. Raises ToolError if something else is in it.
    """
    files = build.application(umqtt=definition == _VIRTUAL)
    files |= {
        settings.CONFIG: settings.config(device, wifi, ""),
        settings.BOARD: settings.board(definition),
        **{f"/credentials/{name}": content for name, content in device.credentials.items()},
    }
    files[plan.MANIFEST] = plan.manifest(files, _ABI, b"")
    _clear(folder)
    for name, content in sorted(files.items()):
        path = folder / name[1:]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)
    return files


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / "manifest.json").exists()):
        raise ToolError(f"{folder} is no folder that deploy has made", "a new or an empty folder")
    shutil.rmtree(folder)
