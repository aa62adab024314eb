"""Jobs Sandbox: AWS IoT Jobs on a MicroPython board."""

VERSION = "0.1.0"
