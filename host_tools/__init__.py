"""Host tools of Jobs Sandbox for MicroPython: the command `jobs-sandbox` and what it is made of."""

__version__ = "0.1.0"
