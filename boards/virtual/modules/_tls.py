"""`tls`, the real one, but certificates are judged by the board's clock.

On ESP32 mbedTLS asks the board's RTC (ports/esp32/main.c, platform_mbedtls_time); on the Unix
port it asks the host, so a board still in the year 2000 would connect. Here the validity of the
loaded roots is compared with the board's clock when a verifying context wraps a socket. If it is
good, the caller gets the real SSLSocket and nothing in between. If not, what the handshake would
raise on ESP32 is raised.
"""

import io as _io

import _hw
import tls as _real  # underscores: the frozen ssl does `from tls import *` on this module
from _der import validity as _validity
from tls import *

_FUTURE = "\nThe certificate validity starts in the future\n"  # mbedTLS, x509_crt.c
_EXPIRED = "\nThe certificate validity has expired\n"
_DER_SEQUENCE = b"\x30"
_POLL = 3  # MP_STREAM_POLL


class SSLContext:
    """The real context inside; its interface is that of extmod/modtls_mbedtls.c."""

    def __init__(self, protocol: int) -> None:
        self._context = _real.SSLContext(protocol)
        self._roots = []

    @property
    def verify_mode(self) -> int:
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode: int) -> None:
        self._context.verify_mode = mode

    @property
    def verify_callback(self):
        return self._context.verify_callback

    @verify_callback.setter
    def verify_callback(self, callback) -> None:
        self._context.verify_callback = callback

    def get_ciphers(self) -> list:
        return self._context.get_ciphers()

    def set_ciphers(self, ciphers) -> None:
        self._context.set_ciphers(ciphers)

    def load_cert_chain(self, cert, key) -> None:
        self._context.load_cert_chain(cert, key)

    def load_verify_locations(self, cadata) -> None:
        self._context.load_verify_locations(cadata)
        if cadata[:1] == _DER_SEQUENCE:  # PEM, where the port takes it, is not judged
            self._roots.append(_validity(cadata))

    def wrap_socket(self, sock, *, do_handshake_on_connect: bool = True, **options):
        """Return the real SSLSocket; a clock outside the roots' validity is found in the
        handshake, as ValueError.
        """
        reason = self._clock_fault()
        if reason is None:
            return self._context.wrap_socket(
                sock, do_handshake_on_connect=do_handshake_on_connect, **options
            )
        if do_handshake_on_connect:
            sock.close()
            raise ValueError(reason)
        return _Refused(sock, reason)

    def _clock_fault(self) -> str | None:
        if self.verify_mode == _real.CERT_NONE or not self._roots:
            return None
        now = _hw.rtc.now_us() // 1000000
        if any(start <= now <= end for start, end in self._roots):
            return None
        return _FUTURE if all(now < start for start, end in self._roots) else _EXPIRED


class _Refused(_io.IOBase):
    """What wrap_socket gives when the handshake, still to come, is bound to fail on the clock."""

    def __init__(self, sock, reason: str) -> None:
        self._sock, self._reason = sock, reason

    def _fail(self, *args):
        raise ValueError(self._reason)

    read = readinto = readline = write = _fail

    def setblocking(self, on: bool) -> None:
        self._sock.setblocking(on)

    def close(self) -> None:
        self._sock.close()

    def ioctl(self, request: int, argument: int) -> int:
        return argument if request == _POLL else 0  # ready, so that the caller finds the error
