"""What the firmware may take of the 56 KB of heap that a plain ESP32 starts with, in bytes.

The Unix port's words are twice as long, so a measured size is halved: pessimistic for strings and
bytecode, right for objects.
"""

WORDS = 2  # 8-byte words for 4-byte words
FREE_WHEN_LOADED = 30 * 1024
LEAK = 256  # how much a measurement may differ from the one before
