"""Imported first by a test that needs hardware: puts the virtual board's stand-ins on the path."""

import sys

sys.path.insert(0, __file__.rsplit("/", 3)[0] + "/boards/virtual/modules")

import machine, network, ntptime, time, tls  # noqa: F401,I001  in place of the built-ins
