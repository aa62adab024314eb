"""`socket` of the host, but no name can be looked up before the station interface has an address,
and connections go through the air (`host_tools/board/air.py`), where faults can be put on them.

Left as on the Unix port, because the native type cannot be wrapped without losing poll(): errno
numbers are the host's, and a time-out survives setblocking(True), which erases it on ESP32
(modsocket.c).
"""

import _hw
import network
import usocket
from usocket import *

_EAI_FAIL = -202  # lwip/netdb.h, as ports/esp32/modsocket.c raises it
_LOOPBACK, _ANY = "127.0.0.1", "0.0.0.0"


def getaddrinfo(host, port, *args):
    """Look up a host. Blocks. Raises OSError(-202) without a network, as lwIP does for names.

    The address of a stream is that of the way through the air to it, if something listens there.
    """
    if not network.is_up() and not _is_number(host):
        raise OSError(_EAI_FAIL)
    found = usocket.getaddrinfo(host, port, *args)
    if host == _ANY or found[0][1] != SOCK_STREAM:
        return found
    way = _way(found[0][-1])
    return [found[0][:-1] + (usocket.getaddrinfo(_LOOPBACK, way)[0][-1],)] if way else found


def _way(address) -> int:
    # asks the exchange; 0 = go by yourself
    exchange = _hw.env("VB_AIR")
    if not exchange:
        return 0
    asked = usocket.socket()
    try:
        asked.connect(usocket.getaddrinfo(_LOOPBACK, int(exchange))[0][-1])
        family, packed, port = usocket.sockaddr(address)
        asked.write("%s %d\n" % (usocket.inet_ntop(family, packed), port))
        return int(asked.readline())
    except (OSError, ValueError):
        return 0
    finally:
        asked.close()


def _is_number(host: str) -> bool:
    return host.replace(".", "").isdigit()
