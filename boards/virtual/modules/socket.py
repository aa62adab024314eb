"""`socket` of the host, but no name can be looked up before the station interface has an address.

Left as on the Unix port, because the native type cannot be wrapped without losing poll(): errno
numbers are the host's, and a time-out survives setblocking(True), which erases it on ESP32
(modsocket.c).
"""

import network
import usocket
from usocket import *

_EAI_FAIL = -202  # lwip/netdb.h, as ports/esp32/modsocket.c raises it


def getaddrinfo(host, port, *args):
    """Look up a host. Blocks. Raises OSError(-202) without a network, as lwIP does for names."""
    if not network.is_up() and not _is_number(host):
        raise OSError(_EAI_FAIL)
    return usocket.getaddrinfo(host, port, *args)


def _is_number(host: str) -> bool:
    return host.replace(".", "").isdigit()
