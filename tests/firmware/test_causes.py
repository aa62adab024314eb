import json

from sandbox import causes, texts
from sandbox.errors import LinkError

from fakes import FakeLog

VERIFICATION = "\nThe certificate %s\n"


class FakeLink:
    """A link that has just failed."""

    def __init__(self, state="online", age_ms=60_000, failures=1, subscribing=False):
        self.state = state
        self.failures = failures
        self.subscribing = subscribing
        self._age_ms = age_ms

    def age_ms(self):
        return self._age_ms


def test_a_link_error_has_its_code():
    assert causes.classify(LinkError("NO_PINGRESP", ""), False) == "NO_PINGRESP"


def test_what_tls_says_of_a_certificate_is_told_apart():
    for text, code in (
        ("validity starts in the future", "TLS_CLOCK_BEHIND"),
        ("validity has expired", "TLS_EXPIRED"),
        ("is not correctly signed by the trusted CA", "TLS_WRONG_CA"),
        ("Common Name (CN) does not match with the expected CN", "TLS_WRONG_NAME"),
        ("is signed with an unacceptable hash", "TLS_UNTRUSTED"),
    ):
        assert causes.classify(ValueError(VERIFICATION % text), True) == code, text


def test_what_mbedtls_says_in_numbers_is_told_apart():
    for number, text, code in (
        (-30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", "TLS_REFUSED"),
        (-29312, "MBEDTLS_ERR_SSL_CONN_EOF", "TLS_REFUSED"),
        (-32512, "MBEDTLS_ERR_SSL_ALLOC_FAILED", "TLS_NO_MEMORY"),
        (-17040, "MBEDTLS_ERR_RSA_PUBLIC_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED", "TLS_NO_MEMORY"),
        (-15872, "MBEDTLS_ERR_PK_TYPE_MISMATCH", "TLS_KEY_MISMATCH"),
        (-28928, "MBEDTLS_ERR_SSL_BAD_INPUT_DATA", "TLS_KEY_MISMATCH"),
        (-29184, "MBEDTLS_ERR_SSL_INVALID_RECORD", "TLS_FAILED"),
    ):
        assert causes.classify(OSError(number, text), True) == code, text


def test_numbers_of_both_signs_and_both_ports_are_a_lost_connection():
    for number in (104, -104, 110, 116, 118, 128, 113):  # ESP32 has 116 for ETIMEDOUT
        assert causes.classify(OSError(number), False) == "CONNECTION_LOST", number
    assert causes.classify(OSError(), False) == "CONNECTION_LOST"


def test_memory_is_told_apart():
    assert causes.classify(MemoryError("memory allocation failed"), True) == "TLS_NO_MEMORY"
    assert causes.classify(MemoryError("memory allocation failed"), False) == "OUT_OF_MEMORY"
    assert causes.classify(OSError(12), True) == "TLS_NO_MEMORY"


def test_what_umqtt_raises_on_garbage_is_malformed():
    for error in (IndexError("bytes index out of range"), AssertionError(), TypeError()):
        assert causes.classify(error, False) == "MALFORMED_PACKET"
    assert causes.classify(ValueError("x"), False) == "MALFORMED_PACKET"


def test_real_exceptions_are_understood():
    for act, code in (
        (lambda: bytes()[0], "MALFORMED_PACKET"),
        (lambda: json.loads("{"), "MALFORMED_PACKET"),
        (lambda: bytearray(10**9), "OUT_OF_MEMORY"),
        (lambda: open("/no/such/file"), "CONNECTION_LOST"),
    ):
        try:
            act()
            raise KeyError
        except Exception as error:
            assert causes.classify(error, False) == code, repr(error)


def test_a_drop_is_judged_by_when_it_came():
    for code, link, judged in (
        ("CLOSED_BY_PEER", FakeLink(subscribing=True), "SUBSCRIBE_CLOSED"),
        ("CLOSED_BY_PEER", FakeLink(failures=3), "DROPPED_REPEATEDLY"),
        ("CONNECTION_LOST", FakeLink(failures=2), "CONNECTION_LOST"),
        ("CLOSED_BY_PEER", FakeLink(), "CLOSED_BY_PEER"),
        ("NO_PINGRESP", FakeLink(failures=9), "NO_PINGRESP"),
    ):
        assert causes.judge_drop(code, link.age_ms(), link) == judged
    assert causes.judge_drop("CLOSED_BY_PEER", 1999, FakeLink()) == "PUBLISH_CLOSED"
    assert causes.judge_drop("CLOSED_BY_PEER", 2000, FakeLink()) == "CLOSED_BY_PEER"


def test_a_report_names_the_cause_and_the_next_thing_to_do():
    log = FakeLog()
    error = LinkError("WIFI_NO_AP", "home")
    assert causes.report(error, FakeLink("connecting"), log) == ("WIFI_NO_AP", "home")
    what, remedy = causes.explain("WIFI_NO_AP")
    assert log.entries == [
        ("warning", "link", "WIFI_NO_AP: %s (home)" % what),
        ("warning", "link", "try: " + remedy),
    ]


def test_what_tls_says_in_several_lines_is_told_in_one():
    log = FakeLog()
    error = ValueError(VERIFICATION % "validity has expired")
    told = causes.report(error, FakeLink("connecting"), log)
    assert told == ("TLS_EXPIRED", "The certificate validity has expired")
    assert not any("\n" in text for _, _, text in log.entries)


def test_a_code_that_has_no_row_has_no_explanation():
    assert causes.explain("NO_SUCH_CODE") == ("", "")


def test_every_code_that_is_chosen_here_has_a_row():
    codes = [code for _, code in causes._VERIFICATION + causes._TLS_ERRORS]
    for code in codes + ["TLS_UNTRUSTED", "TLS_FAILED", "OUT_OF_MEMORY", "MALFORMED_PACKET"]:
        assert texts.find("causes.txt", code), code
