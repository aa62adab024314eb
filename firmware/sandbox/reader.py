"""Reads small JSON files in flash, with care. Loaded for that."""

import json

from .errors import ConfigError


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
