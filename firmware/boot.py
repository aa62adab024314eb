# Nothing to do before main.py: an exception here would keep MicroPython from running it.
