"""What is changed for the tests in the process that runs them, before all other imports."""

import os
import signal
import sys

os.environ["JOBS_SANDBOX_CONFIG"] = os.devnull  # whoever has a sandbox.toml: tests do not read it

# Tests start some two thousand processes; half of their time would be compiling the same modules,
# which `pip install --no-compile` leaves to the first use and this variable to each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Tests interrupt commands by Ctrl-C, which everything in the background of a script ignores.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
