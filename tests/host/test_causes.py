"""The table of causes against the firmware's source: every code that can be raised has a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from host_tools.paths import FIRMWARE, ROOT

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

_DIAL = "firmware/test_dial.py"
_REFUSALS = "system/test_refusals.py"
_LINK = "firmware/test_link_faults.py"
_DEAD_SOCKET = f"{_LINK}::test_a_request_that_cannot_be_sent_ends_the_connection"
_TLS_RAISES = f"{_DIAL}::test_what_tls_raises_for_want_of_memory_or_for_a_key_is_told"
# A test, or a transcript, of each code, that makes it come about; not one that only names it
_PROVOKED = {
    "WIFI_NO_SSID": "firmware/test_wifi.py::test_no_network_configured_says_so",
    "WIFI_NO_AP": f"{_REFUSALS}::test_no_access_point",
    "WIFI_PASSWORD": f"{_REFUSALS}::test_a_wrong_wifi_password",
    "WIFI_ASSOCIATION": "firmware/test_wifi.py::test_every_state_of_the_port_has_its_code",
    "WIFI_TIMEOUT": "firmware/test_wifi.py::test_an_address_that_does_not_come_is_a_timeout",
    "WIFI_ERROR": "firmware/test_wifi.py::test_a_driver_that_fails_is_told_in_its_words",
    "CLOCK_NOT_SET": f"{_REFUSALS}::test_a_clock_in_the_year_2000",
    "DNS_FAILED": f"{_REFUSALS}::test_a_name_that_does_not_resolve",
    "TCP_REFUSED": f"{_REFUSALS}::test_nothing_listens",
    "TCP_TIMEOUT": f"{_DIAL}::test_a_host_that_does_not_answer_is_told",
    "TCP_FAILED": f"{_DIAL}::test_a_network_that_lets_nobody_through_is_told",
    "TLS_CLOCK_BEHIND": f"{_DIAL}::test_a_server_of_the_future_is_refused",
    "TLS_EXPIRED": f"{_REFUSALS}::test_an_expired_server_certificate",
    "TLS_WRONG_CA": f"{_REFUSALS}::test_a_server_signed_by_another_root",
    "TLS_WRONG_NAME": f"{_REFUSALS}::test_a_server_with_another_name",
    "TLS_UNTRUSTED": _TLS_RAISES,
    "TLS_KEY_MISMATCH": _TLS_RAISES,
    "TLS_NO_MEMORY": _TLS_RAISES,
    "TLS_REFUSED": f"{_DIAL}::test_a_client_that_the_server_refuses_is_told",
    "TLS_TIMEOUT": f"{_DIAL}::test_a_server_that_is_silent_during_the_handshake_is_told",
    "TLS_FAILED": f"{_DIAL}::test_a_server_that_speaks_no_tls_is_told",
    "OUT_OF_MEMORY": f"{_LINK}::test_a_message_that_takes_all_memory_is_told",
    "MQTT_CLOSED_AT_CONNECT": f"{_REFUSALS}::test_a_client_id_that_the_policy_forbids",
    "MQTT_CONNACK_TIMEOUT": f"{_DIAL}::test_silence_instead_of_an_answer_to_connect_is_told",
    "MQTT_REFUSED": f"{_DIAL}::test_a_refusal_is_told_with_its_number",
    "SUBSCRIBE_CLOSED": f"{_REFUSALS}::test_a_foreign_thing",
    "SUBSCRIBE_REFUSED": f"{_LINK}::test_a_refused_subscription_is_told",
    "SUBACK_TIMEOUT": f"{_LINK}::test_silence_instead_of_an_answer_to_subscribe_is_told",
    "PUBLISH_CLOSED": f"{_LINK}::test_a_close_soon_after_a_request_hints_at_the_policy",
    "DROPPED_REPEATEDLY": f"{_LINK}::test_connections_that_end_again_and_again_are_told",
    "CLOSED_BY_PEER": f"{_LINK}::test_a_close_after_a_while_is_only_a_close",
    "CONNECTION_LOST": _DEAD_SOCKET,
    "SEND_TIMEOUT": _DEAD_SOCKET,
    "NO_PINGRESP": f"{_LINK}::test_a_ping_without_answer_is_told",
    "MALFORMED_PACKET": f"{_LINK}::test_what_is_no_mqtt_is_told",
    "InvalidStateTransition": "system/test_walkthrough.py::test_refusals_are_shown_and_explained",
    "TerminalStateReached": "system/transcripts/timed_out.txt",
    "ResourceNotFound": "system/transcripts/gone.txt",
    "VersionMismatch": "system/transcripts/version_mismatch.txt",
    "InvalidRequest": "system/transcripts/details_refused.txt",
    "InvalidTopic": "system/transcripts/invalid_topic.txt",
    "InvalidJson": "system/transcripts/no_token.txt",
    "RequestThrottled": "system/transcripts/throttled.txt",
    "InternalError": "system/transcripts/throttled.txt",
    "Timeout": "system/transcripts/silence.txt",
    "Offline": "firmware/test_jobs.py::test_a_link_that_closes_ends_every_request",
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


def test_every_cause_is_brought_about_by_a_test() -> None:
    assert set(_PROVOKED) == set(_rows()), "each row has its test"
    for code, where in _PROVOKED.items():
        assert code in _source(where), f"{where} does not speak of {code}"


def _source(where: str) -> str:
    path, _, function = where.partition("::")
    text = (ROOT / "tests" / path).read_text()
    for node in ast.parse(text).body if function else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            return ast.get_source_segment(text, node) or ""
    return "" if function else text


def test_reasons_of_jobs_are_upper_case_words() -> None:
    reasons = _first_texts("JobFailed")
    assert {"UNKNOWN_OPERATION", "INVALID_ARGUMENT", "STEP_TIMEOUT"} <= reasons
    assert all(re.fullmatch("[A-Z]+(_[A-Z]+)*", reason) for reason in reasons)
