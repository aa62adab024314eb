"""Small JSON files in flash, written so that a power cut does no harm; `reader` reads them."""

import gc
import json
import os

STATE = "/state"  # what the board itself writes; a deploy never touches it
SETTINGS = STATE + "/settings.json"


def write_json(path: str, value: dict) -> None:
    """Write `value` so that a power cut leaves either the old file or the new one.

    LittleFS replaces the target of a rename atomically, and makes data durable when a file is
    closed.
    """
    temporary = path + ".new"
    make_folder(path.rsplit("/", 1)[0])
    gc.collect()  # an open file takes most of a kilobyte
    with open(temporary, "w") as file:
        json.dump(value, file)
    os.rename(temporary, path)


def make_folder(path: str) -> None:
    """Make a folder unless it exists."""
    try:
        os.mkdir(path)
    except OSError:
        pass  # exists
