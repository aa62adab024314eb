"""From an exception to a row of causes.txt: which failure it was, in words, what to do about it,
and when it is tried again. Loaded when something has failed.
"""

import random

from micropython import const

from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .link import Link
    from .log import Log

# Texts of mbedTLS's certificate verification (x509_crt.c), lower case; MicroPython raises them as
# ValueError
_VERIFICATION = (
    ("starts in the future", "TLS_CLOCK_BEHIND"),
    ("has expired", "TLS_EXPIRED"),
    ("not correctly signed", "TLS_WRONG_CA"),
    ("does not match", "TLS_WRONG_NAME"),
)
# mbedTLS error names as MicroPython prints them in OSError
_TLS_ERRORS = (
    ("ALLOC_FAILED", "TLS_NO_MEMORY"),
    ("FATAL_ALERT", "TLS_REFUSED"),
    ("CERT_VERIFY", "TLS_UNTRUSTED"),
    ("CONN_EOF", "TLS_REFUSED"),
    ("BAD_INPUT_DATA", "TLS_KEY_MISMATCH"),
    ("PK_", "TLS_KEY_MISMATCH"),
)
_MBEDTLS = const(0x80)  # an errno is below this; mbedTLS's numbers are above
_ENOMEM = const(12)
_DROPS = ("CLOSED_BY_PEER", "CONNECTION_LOST")
_QUICK_MS = const(2_000)
_DROPS_IN_A_ROW = const(3)
_STABLE_MS = const(60_000)  # a connection that lasted this long resets the back-off
_MENDED_MS = const(10_000)  # and one before which others had failed to be made
_FIRST_PAUSE_MS = const(1000)  # AWS IoT Core allows one CONNECT a second per client id
_LAST_PAUSE_MS = const(120_000)


def report(error: BaseException, lost: "tuple[str, int, bool]", link: "Link", log: "Log") -> None:
    """Log what ended the link, in words, what to do, and when it is tried again; keep that in
    `trouble`, `failures`, `drops` and `again` of the link.

    `lost`: the state in which it ended, for how many milliseconds it had lasted, and whether
    SUBSCRIBE was not answered yet.
    """
    state, lasted_ms, subscribing = lost
    code = _classify(error, state == "connecting")
    detail = str(error.args[1]) if type(error).__name__ == "LinkError" else str(error)
    detail = " ".join(detail.split())  # mbedTLS breaks lines, the log has one for an entry
    online = state == "online"
    if online and lasted_ms > (_STABLE_MS if link.drops else _MENDED_MS):
        link.failures = link.drops = 0
    link.failures += 1
    link.drops = link.drops + 1 if online else 0
    if online:
        code = _judge_drop(code, lasted_ms, subscribing, link.drops)
    what, remedy = explain(code)
    log.warning("link", "%s: %s%s", code, what, " (%s)" % detail if detail else "")
    if remedy:
        log.warning("link", "try: %s", remedy)
    link.trouble = code, detail
    pause_ms = _pause_ms(link.failures)
    link.again = log.uptime_ms() + pause_ms
    log.info("link", "next attempt in %d ms", pause_ms)


def explain(code: str) -> tuple[str, str]:
    """Return (what happened, what to do) for `code`, ("", "") if the table has no such row."""
    row = borrow("texts").find("causes.txt", code)
    return (row[1], row[2]) if row else ("", "")


def _classify(error: BaseException, connecting: bool) -> str:
    # The code for `error`, raised while connecting (TLS, CONNECT) or when online
    name = type(error).__name__
    if name == "LinkError":
        return str(error.args[0])
    text = str(error)
    if isinstance(error, ValueError) and connecting:
        return _find(_VERIFICATION, text.lower(), "TLS_UNTRUSTED")
    if isinstance(error, MemoryError):
        return "TLS_NO_MEMORY" if connecting else "OUT_OF_MEMORY"
    if not isinstance(error, OSError):
        return "MALFORMED_PACKET"
    number = abs(error.errno or 0)
    if number == _ENOMEM:
        return "TLS_NO_MEMORY"
    if number > _MBEDTLS:
        return _find(_TLS_ERRORS, text, "TLS_FAILED")
    return "TLS_REFUSED" if connecting else "CONNECTION_LOST"


def _judge_drop(code: str, lasted_ms: int, subscribing: bool, drops: int) -> str:
    # A better code for a connection that ended online without a reason given: AWS IoT closes
    # without a word when a policy forbids a packet, and when another client connects with the same
    # client id
    if code not in _DROPS:
        return code
    if subscribing:
        return "SUBSCRIBE_CLOSED"
    if drops >= _DROPS_IN_A_ROW:
        return "DROPPED_REPEATEDLY"
    return "PUBLISH_CLOSED" if lasted_ms < _QUICK_MS else code


def _pause_ms(failures: int) -> int:
    # How long to wait after so many failures in a row: 1 s to a ceiling, at random. Exponential
    # back-off with full jitter, as AWS IoT Device Advisor tests it: the ceiling doubles from 2 s
    # to 120 s.
    ceiling = min(_FIRST_PAUSE_MS << min(failures, 7), _LAST_PAUSE_MS)
    return _FIRST_PAUSE_MS + random.getrandbits(24) % (ceiling - _FIRST_PAUSE_MS + 1)


def _find(rows: tuple, text: str, default: str) -> str:
    for part, code in rows:
        if part in text:
            return code
    return default
