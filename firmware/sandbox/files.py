"""Small JSON files in flash, read with care and written so that a power cut does no harm."""

import json
import os

from .errors import ConfigError

STATE = "/state"  # what the board itself writes; a deploy never touches it
SETTINGS = STATE + "/settings.json"


def read_json(path: str) -> dict:
    """Return the JSON object in `path`. Raises ConfigError when it is missing or anything else."""
    try:
        with open(path) as file:
            value = json.load(file)
    except OSError:
        raise ConfigError("%s is missing: deploy the firmware" % path)
    except (ValueError, RuntimeError, MemoryError):  # nested too deep, or too large
        value = ()  # and told below, where what was parsed is garbage
    if value == ():
        raise ConfigError("%s is not JSON" % path)
    if not isinstance(value, dict):
        raise ConfigError("%s is not a JSON object" % path)
    return value


def write_json(path: str, value: dict) -> None:
    """Write `value` so that a power cut leaves either the old file or the new one.

    LittleFS replaces the target of a rename atomically, and makes data durable when a file is
    closed.
    """
    temporary = path + ".new"
    make_folder(path.rsplit("/", 1)[0])
    with open(temporary, "w") as file:
        json.dump(value, file)
    os.rename(temporary, path)


def make_folder(path: str) -> None:
    """Make a folder unless it exists."""
    try:
        os.mkdir(path)
    except OSError:
        pass  # exists
