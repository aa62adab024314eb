"""What the firmware may take of a plain ESP32's heap.

Sizes are in bytes of the board. The Unix port's words are twice as long, so what is measured
there is halved: pessimistic for strings and bytecode, right for objects.
"""

WORDS = 2  # 8-byte words for 4-byte words
HEAP = 56 * 1024
FREE_WHEN_LOADED = 30 * 1024
LEAK = 256  # of the Unix port: how much a measurement may differ from the one before
