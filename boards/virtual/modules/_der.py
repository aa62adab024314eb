"""The two dates of an X.509 certificate in DER, and no more of ASN.1 than they need."""

import time

_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17


def validity(certificate: bytes) -> tuple:
    """Return (notBefore, notAfter) in seconds since 2000; RFC 5280, 4.1."""
    body, _, _ = _item(certificate, 0)  # Certificate
    position, _, _ = _item(certificate, body)  # TBSCertificate
    if certificate[position] == _VERSION:
        position = _skip(certificate, position)
    for _ in range(3):  # serialNumber, signature, issuer
        position = _skip(certificate, position)
    position, _, _ = _item(certificate, position)  # Validity
    return _date(certificate, position), _date(certificate, _skip(certificate, position))


def _item(data: bytes, position: int) -> tuple:
    # (start of the content, its length, tag)
    length = data[position + 1]
    start = position + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    return start, length, data[position]


def _skip(data: bytes, position: int) -> int:
    start, length, _ = _item(data, position)
    return start + length


def _date(data: bytes, position: int) -> int:
    # UTCTime YYMMDDhhmmssZ (years 1950 to 2049) or GeneralizedTime YYYYMMDDhhmmssZ
    start, length, tag = _item(data, position)
    text = bytes(data[start : start + length]).decode()
    if tag == _UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    fields = [int(text[:4])] + [int(text[i : i + 2]) for i in range(4, 14, 2)]
    return time.mktime(tuple(fields) + (0, 0))
