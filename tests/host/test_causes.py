"""The table of causes against the firmware's source: every code that can be raised has a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from host_tools.paths import FIRMWARE

_SANDBOX = FIRMWARE / "sandbox"
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_SERVICE = {  # AWS IoT developer guide, "Jobs device MQTT API", ErrorResponse
    "InvalidTopic",
    "InvalidJson",
    "InvalidRequest",
    "InvalidStateTransition",
    "ResourceNotFound",
    "VersionMismatch",
    "InternalError",
    "RequestThrottled",
    "TerminalStateReached",
}


def _rows() -> dict[str, tuple[str, str]]:
    lines = (_SANDBOX / "causes.txt").read_text().splitlines()
    rows = [line.split("~") for line in lines if not line.startswith("#")]
    return {code: (what, remedy) for code, what, remedy in rows}


def _calls(name: str) -> Iterator[ast.Call]:
    for path in sorted(_SANDBOX.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield node


def _first_texts(name: str) -> set[str]:
    return {
        call.args[0].value
        for call in _calls(name)
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def _texts(path: str) -> set[str]:
    tree = ast.parse((_SANDBOX / path).read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str)}


def test_every_link_error_has_a_row() -> None:
    codes = _first_texts("LinkError")
    assert {"DNS_FAILED", "NO_PINGRESP", "CLOCK_NOT_SET"} <= codes, "the scan finds them"
    assert codes <= set(_rows())


def test_every_code_that_a_table_of_the_firmware_names_has_a_row() -> None:
    wifi = {text for text in _texts("wifi.py") if text.startswith("WIFI_")}
    causes = {text for text in _texts("causes.py") if _CODE.fullmatch(text)}
    mbedtls = {"ALLOC_FAILED", "FATAL_ALERT", "CERT_VERIFY", "CONN_EOF", "BAD_INPUT_DATA"}
    assert "WIFI_PASSWORD" in wifi
    assert "TLS_EXPIRED" in causes
    assert wifi | (causes - mbedtls) <= set(_rows())


def test_every_answer_of_the_service_and_every_error_of_ours_has_a_row() -> None:
    ours = _first_texts("JobsError")
    assert {"Timeout", "Offline"} <= ours
    assert _SERVICE | ours <= set(_rows())


def test_no_row_is_for_a_code_that_nothing_raises() -> None:
    sources = "".join(path.read_text() for path in _SANDBOX.rglob("*.py"))
    unused = {code for code in _rows() if code not in _SERVICE and f'"{code}"' not in sources}
    assert not unused


def test_there_are_at_least_25_causes_each_with_a_cause_and_a_remedy() -> None:
    rows = _rows()
    assert len(rows) >= 25
    assert all(what and remedy for what, remedy in rows.values())


def test_reasons_of_jobs_are_upper_case_words() -> None:
    reasons = _first_texts("JobRejected") | _first_texts("JobFailed")
    assert {"UNKNOWN_OPERATION", "INVALID_ARGUMENT", "STEP_TIMEOUT"} <= reasons
    assert all(re.fullmatch("[A-Z]+(_[A-Z]+)*", reason) for reason in reasons)
