"""What lies on the board, by SHA-256. Loaded when it is asked for."""

import asyncio
import hashlib
import os

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

# The folders that a deploy fills, and the root; what else is on the board is not ours to read
_OURS = const(("/sandbox", "/umqtt", "/credentials"))
_FOLDER = const(0x4000)


def sha256(path: str) -> str:
    """Return a file's digest in hexadecimal, "" if there is no such file."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(512):
                digest.update(piece)
        return digest.digest().hex()
    except OSError:
        return ""


async def show(write: "Callable[[str], None]", folder: str = "") -> None:
    """Show `digest path` of every file in ours, `- path` of a folder; others run meanwhile."""
    for entry in os.ilistdir(folder or "/"):
        path = "%s/%s" % (folder, entry[0])
        if entry[1] != _FOLDER:
            write("%s %s" % (sha256(path), path))
        elif folder or path in _OURS:
            write("- " + path)
            await show(write, path)
        await asyncio.sleep_ms(0)


def show_manifest(write: "Callable[[str], None]", path: str = "/manifest.json") -> None:
    """Show the manifest's text in short pieces, each behind a `|`; nothing without one."""
    try:
        with open(path) as file:
            while piece := file.read(128):
                write("|" + piece)
    except OSError:
        pass
