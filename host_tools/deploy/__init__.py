"""Puts firmware, configuration and credentials on a board, and starts it.

`build` makes the files, `plan` compares them with those on the board, `raw_repl` and `scripts`
work on the board through mpremote, `upload` sends, `running` talks to the application there,
`deploy` does it all.
"""

from host_tools.deploy.deploy import Deployed, NoMicroPythonError, Options, UnsuitableError, deploy
from host_tools.deploy.settings import Device, NoWifiError, choose_thing

__all__ = [
    "Deployed",
    "Device",
    "NoMicroPythonError",
    "NoWifiError",
    "Options",
    "UnsuitableError",
    "choose_thing",
    "deploy",
]
