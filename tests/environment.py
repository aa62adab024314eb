"""What is changed for the tests in the process that runs them, before they are imported."""

import functools
import os
import signal
import sys
from pathlib import Path

import botocore.session

os.environ["JOBS_SANDBOX_CONFIG"] = os.devnull  # whoever has a sandbox.toml: tests do not read it

# Tests start some two thousand processes; half of their time would be compiling the same modules,
# which `pip install --no-compile` leaves to the first use and this variable to each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Tests interrupt commands by Ctrl-C, which everything in the background of a script ignores.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The mock chip is a process that a busy machine may keep waiting for longer than esptool's 3 s.
os.environ["ESPTOOL_CFGFILE"] = str(Path(__file__).with_name("esptool.cfg"))

# Every AWS session reads megabytes of JSON about the services; hundreds of them are made.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
