"""Hostile and broken input from the cloud's side, over real TLS: the board stays up, says what it
did, and runs the next job. The parser itself is fuzzed in tests/firmware/test_fuzz.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.device_fixture import Device
from tests.mqtt_wire import PUBLISH, packet, text
from tests.scripted_peer import ScriptedPeer
from tests.system.test_executor import gpio, levels
from tests.system.test_transcripts import IDLE, ONLINE, Played, play  # noqa: F401  a fixture

KB = 1024
Hurt = Callable[[ScriptedPeer], None]


def notify(payload: bytes) -> Hurt:
    return lambda peer: peer.publish("notify", payload, qos=1)


def topic(name: bytes) -> Hurt:
    # A topic as it is, without the prefix
    body = len(name).to_bytes(2, "big") + name + b"{}"
    return lambda peer: peer.send(packet(PUBLISH, 0, body))


def publish(tail: str, payload: bytes) -> Hurt:
    return lambda peer: peer.publish(tail, payload)


SURVIVED: dict[str, Hurt] = {
    "128 KB": notify(b'{"jobs": "' + b"x" * 128 * KB + b'"}'),
    "1 MB": notify(b"x" * 1024 * KB),
    "nested 10 000 deep": notify(b"[" * 10_000),
    "nested 1000 objects deep": notify(b'{"a":' * 1000),
    "not UTF-8": notify(b'{"jobs": "\xff\xfe\x80"}'),
    "NaN": notify(b'{"timestamp": NaN, "jobs": {}}'),
    "duplicate keys": notify(b'{"jobs": {}, "jobs": {"QUEUED": []}}'),
    "no object": notify(b"[1, 2, 3]"),
    "nothing": notify(b""),
    "wrong types": notify(b'{"jobs": {"QUEUED": [{"jobId": 7}, null, "x"]}}'),
    "an answer to nobody": publish("start-next/accepted", b'{"execution": {}, "clientToken": 5}'),
    "a longer topic": publish("a/b/c/d/e/f", b"{}"),
    "a topic of 60 KB": topic(b"t" * 60 * KB),
    "a topic that is not UTF-8": topic(b"$aws/things/\xff\xff"),
    "an empty topic": topic(b""),
    "a job id of 64 characters": publish("x" * 64 + "/get/accepted", b"{}"),
    "a topic longer than its packet": lambda peer: peer.send(b"\x30\x04\xff\xff{}"),
    "a PINGRESP nobody asked for": lambda peer: peer.send(b"\xd0\x00"),
}
ENDING: dict[str, Hurt] = {
    "random bytes": lambda peer: peer.send(bytes(range(1, 255)) * 4),
    "a length of five bytes": lambda peer: peer.send(b"\x30\xff\xff\xff\xff\x01"),
    "a packet of the largest length, cut off": lambda peer: _cut_off(
        peer, b"\x30\xff\xff\xff\x7f"
    ),
    "a packet cut off in its topic": lambda peer: _cut_off(peer, b"\x30\x14\x00\x10$aws/thi"),
    "a subscription refused": lambda peer: peer.send(b"\x90\x08\0\1\x80\x80\0\0\0\0"),
    "a CONNECT from the server": lambda peer: peer.send(b"\x10\x0c" + text("MQTT") + b"\4\2\0\0"),
}


QUICK = ("random bytes", "a packet cut off in its topic")


def _cut_off(peer: ScriptedPeer, data: bytes) -> None:
    peer.send(data)
    peer.play("< CLOSE")


def run_a_job(device: Device, peer: ScriptedPeer, job_id: str, action: str) -> None:
    execution = {
        "jobId": job_id,
        "status": "IN_PROGRESS",
        "versionNumber": 2,
        "executionNumber": 1,
        "jobDocument": gpio(action),
    }
    peer.play(f"""
        < PUBLISH notify-next {{"execution": {{"jobId": "{job_id}", "status": "QUEUED"}}}}
        > PUBLISH start-next {{}}
        < PUBLISH start-next/accepted {{"execution": {json.dumps(execution)}, "clientToken": "@start-next"}}
        > PUBLISH {job_id}/update {{"status": "SUCCEEDED"}}
        < PUBLISH {job_id}/update/accepted {{"clientToken": "@{job_id}/update"}}
        > PUBLISH start-next {{}}
        < PUBLISH start-next/accepted {{"clientToken": "@start-next"}}
    """)  # noqa: E501  a script's line is a packet


def test_the_connection_stands_it(play: Played) -> None:  # noqa: F811
    device, peer = play(ONLINE + IDLE)
    for number, (name, hurt) in enumerate(SURVIVED.items()):
        hurt(peer)
        try:
            peer.answer_until_quiet()
            assert device.command("jobs").status == 0
            run_a_job(device, peer, "x" * 64, "off" if number % 2 else "on")
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}\n{device.log()[-3000:]}") from None
    assert len(levels(device)) == len(SURVIVED), "every job has acted"
    sound(device)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else pytest.mark.long) for n in ENDING]
)
def test_the_connection_ends_and_is_made_again(play: Played, name: str) -> None:  # noqa: F811
    device, peer = play(ONLINE + IDLE)
    ENDING[name](peer)
    peer.play("> END" + ONLINE + IDLE)
    run_a_job(device, peer, "a", "on")
    assert levels(device) == [1]
    sound(device)


def test_a_document_of_32_kb_is_rejected_with_the_reason(play: Played) -> None:  # noqa: F811
    device, peer = play(ONLINE + IDLE)
    execution: dict[str, Any] = {"jobId": "big", "status": "IN_PROGRESS", "versionNumber": 2}
    full = {**execution, "jobDocument": {"x": "y" * 32 * KB}}
    answer = json.dumps({"execution": full, "clientToken": "@start-next"})
    asked = f"""
        > PUBLISH start-next {{}}
        < PUBLISH start-next/accepted {answer}
    """
    peer.play(f"""
        < PUBLISH notify-next {{"execution": {{"jobId": "big", "status": "QUEUED"}}}}
        {asked * 4}
        > PUBLISH $next/get {{"includeJobDocument": false}}
        < PUBLISH $next/get/accepted {{"execution": {json.dumps(execution)}, "clientToken": "@$next/get"}}
        > PUBLISH big/update {{"status": "REJECTED", "statusDetails": {{"code": "DOCUMENT_TOO_LARGE"}}}}
        < PUBLISH big/update/accepted {{"clientToken": "@big/update"}}
        > PUBLISH start-next {{}}
        < PUBLISH start-next/accepted {{"clientToken": "@start-next"}}
    """)  # noqa: E501
    run_a_job(device, peer, "a", "on")
    sound(device)


def sound(device: Device) -> None:
    """Check that nothing was reset and nothing failed that should not."""
    assert "Traceback" not in device.log(), device.log()
    assert device.board.boot == 1
