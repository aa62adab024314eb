"""Makes hostile input from a seed: MQTT packets and JSON that are almost, or not at all, right."""

import json
import random

THING = "lamp"
PREFIX = b"$aws/things/lamp/jobs/"
TOKEN = "00000000-0000-4000-8000-000000000000"
TAILS = (
    b"notify",
    b"notify-next",
    b"get/accepted",
    b"get/rejected",
    b"start-next/accepted",
    b"start-next/rejected",
    b"a/update/accepted",
    b"a/update/rejected",
    b"$next/get/accepted",
    b"a/b/c/d",
    b"",
)
_SUMMARY = {"jobId": "a", "queuedAt": 1, "lastUpdatedAt": 1, "versionNumber": 1}
_DOCUMENT = {"operation": "gpio", "pin": "led", "action": "on"}
_STEPS = {"steps": [_DOCUMENT, {"operation": "wait", "seconds": 1}], "extra": None}
_CLIENT = {
    "version": "1.0",
    "steps": [
        {"action": {"name": "r", "type": "runHandler", "input": {"handler": "reboot.sh"}}},
        {"action": {"name": "c", "type": "runCommand", "input": {"command": "gpio,led,on"}}},
    ],
}
DOCUMENTS = (_DOCUMENT, {"Todo": "Reboot"}, _STEPS, _CLIENT)
_EXECUTION = dict(_SUMMARY, jobDocument=_DOCUMENT, status="IN_PROGRESS", executionNumber=1)
_MESSAGES = (
    {"timestamp": 1, "jobs": {"IN_PROGRESS": [_SUMMARY], "QUEUED": [_SUMMARY, _SUMMARY]}},
    {"timestamp": 1, "execution": _EXECUTION, "clientToken": TOKEN},
    {"inProgressJobs": [], "queuedJobs": [_SUMMARY], "timestamp": 1, "clientToken": TOKEN},
    {
        "code": "VersionMismatch",
        "message": "no",
        "clientToken": TOKEN,
        "executionState": {"status": "SUCCEEDED", "versionNumber": 3},
    },
)
_VALUES = (
    None, True, False, 0, -1, 1 << 40, 1.5, "", "a", "\x00", "é" * 3, "x" * 300, [], {}, [[]],
    [None], {"": {}}, ["a", 1], {"jobId": 7}, [{"jobId": "b"}],
)  # fmt: skip
_SHORT, _LONG = 80, 13_000


def packet(number: int) -> bytes:
    """Return one hostile packet, or what looks like one."""
    kind = number % 8
    if kind == 0:
        return _bytes(_below(_SHORT))
    if kind == 1:
        return bytes([_below(256), _below(128)]) + _bytes(_below(_SHORT))
    if kind == 2:
        return publish(_topic(), _spoilt(_payload()), _below(4) << 1)
    if kind == 3:
        return _spoilt(publish(_topic(), _payload(), _below(2) << 1))
    if kind == 4 and number % 512 == 4:
        return publish(_topic(), _deep(), 0)
    if kind == 5 and number % 1024 == 5:
        return publish(_topic(), b"x" * (_LONG + _below(2000)), _below(2) << 1)
    return publish(_topic(), _payload(), _below(2) << 1)


def publish(topic: bytes, payload: bytes, flags: int) -> bytes:
    """Return a PUBLISH packet (MQTT 3.1.1, 3.3)."""
    packet_id = b"\0\7" if flags & 6 else b""
    body = len(topic).to_bytes(2, "big") + topic + packet_id + payload
    size, length = len(body), b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([0x30 | flags]) + length + bytes([size]) + body


def document():
    """Return a job document with some of its members replaced."""
    return _changed(DOCUMENTS[_below(len(DOCUMENTS))], 4)


def _payload() -> bytes:
    message = _changed(_MESSAGES[_below(len(_MESSAGES))], 6)
    text = json.dumps(message)
    chance = _below(24)
    if chance == 0:
        text = text.replace("1", "NaN")
    elif chance == 1:
        text = text[:-1] + ',"jobs":{},"jobs":7}'
    return text.encode()


def _changed(value, chance: int):
    # A copy in which one member in `chance` is another value, missing, or there under a new name
    if isinstance(value, dict):
        changed = {}
        for name, member in value.items():
            luck = _below(4 * chance)
            if luck == 0:
                continue
            changed[_name() if luck == 1 else name] = (
                _VALUES[_below(len(_VALUES))] if luck < 6 else _changed(member, chance)
            )
        return changed
    if isinstance(value, list):
        return [_changed(item, chance) for item in value] * (1 + (_below(20) == 0))
    return value


def _name() -> str:
    return ("jobs", "execution", "steps", "operation", "clientToken", "x")[_below(6)]


def _topic() -> bytes:
    tail = TAILS[_below(len(TAILS))]
    chance = _below(40)
    if chance == 0:
        return _bytes(_below(30))
    if chance == 1:
        return PREFIX + tail + b"/" * _below(9)
    if chance == 2:
        return PREFIX + b"\xff" + tail
    return PREFIX + tail


def _spoilt(data: bytes) -> bytes:
    # with a byte changed, or a piece taken out, doubled or cut off
    if not data:
        return data
    at, end = _below(len(data)), _below(len(data))
    way = _below(4)
    if way == 0:
        return data[:at] + bytes([_below(256)]) + data[at + 1 :]
    if way == 1:
        return data[:at]
    if way == 2:
        return data[:at] + data[end:]
    return data[:end] + data[at:]


def _deep() -> bytes:
    opening = (b"[", b'{"a":', b'[{"jobs":')[_below(3)]
    return opening * min(1 + _below(10_000), 12_000 // len(opening))


def _bytes(count: int) -> bytes:
    return bytes(_below(256) for _ in range(count))


def _below(limit: int) -> int:
    return random.getrandbits(24) % limit
