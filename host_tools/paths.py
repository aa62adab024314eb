"""Where the host tools keep what they make.

Everything lies under one git-ignored folder, `.jobs-sandbox/` beside the sources, or where
JOBS_SANDBOX_HOME points: `cloud/`, `boards/<name>/`, `things/<thing>/`. Folders are made with mode
0700.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
BOARDS = ROOT / "boards"
UMQTT = ROOT / "build" / "umqtt"  # what set-up has fetched: umqtt/simple.py


def home() -> Path:
    """Return the state folder, made if missing."""
    return _made(Path(os.environ.get("JOBS_SANDBOX_HOME") or ROOT / ".jobs-sandbox").absolute())


def cloud_dir() -> Path:
    """Return the folder of the local IoT Core, made if missing."""
    return _made(home() / "cloud")


def board_dir(name: str) -> Path:
    """Return the folder of the virtual board `name`, made if missing."""
    return _made(home() / "boards" / name)


def thing_dir(thing: str) -> Path:
    """Return the folder of a thing's credentials, made if missing."""
    return _made(thing_folder(thing))


def thing_folder(thing: str) -> Path:
    """Return the folder of a thing's credentials, which may not exist.

    `:` is legal in a thing name but not in every file system, so it is written as `=`.
    """
    return home() / "things" / thing.replace(":", "=")


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
