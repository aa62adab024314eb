"""Host tools of Jobs Sandbox for MicroPython: the command `jobs-sandbox` and its parts."""

__version__ = "0.1.0"
