import json

from sandbox import causes, texts
from sandbox.errors import LinkError

from fakes import FakeLog

VERIFICATION = "\nThe certificate %s\n"


class FakeLink:
    """A link that has just failed."""

    def __init__(self, state="online", lasted_ms=60_000, failures=1, drops=0):
        self.failures = failures
        self.drops = drops
        self.lost = state, lasted_ms, False


def test_a_link_error_has_its_code():
    assert causes._classify(LinkError("NO_PINGRESP", ""), False) == "NO_PINGRESP"


def test_what_tls_says_of_a_certificate_is_told_apart():
    for text, code in (
        ("validity starts in the future", "TLS_CLOCK_BEHIND"),
        ("validity has expired", "TLS_EXPIRED"),
        ("is not correctly signed by the trusted CA", "TLS_WRONG_CA"),
        ("Common Name (CN) does not match with the expected CN", "TLS_WRONG_NAME"),
        ("is signed with an unacceptable hash", "TLS_UNTRUSTED"),
    ):
        assert causes._classify(ValueError(VERIFICATION % text), True) == code, text


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
        assert causes._classify(OSError(number, text), True) == code, text


def test_numbers_of_both_signs_and_both_ports_are_a_lost_connection():
    for number in (104, -104, 110, 116, 118, 128, 113):  # ESP32 has 116 for ETIMEDOUT
        assert causes._classify(OSError(number), False) == "CONNECTION_LOST", number
    assert causes._classify(OSError(), False) == "CONNECTION_LOST"


def test_memory_is_told_apart():
    assert causes._classify(MemoryError("memory allocation failed"), True) == "TLS_NO_MEMORY"
    assert causes._classify(MemoryError("memory allocation failed"), False) == "OUT_OF_MEMORY"
    assert causes._classify(OSError(12), True) == "TLS_NO_MEMORY"


def test_what_umqtt_raises_on_garbage_is_malformed():
    for error in (IndexError("bytes index out of range"), AssertionError(), TypeError()):
        assert causes._classify(error, False) == "MALFORMED_PACKET"
    assert causes._classify(ValueError("x"), False) == "MALFORMED_PACKET"


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
            assert causes._classify(error, False) == code, repr(error)


def test_a_drop_is_judged_by_when_it_came():
    for code, lasted_ms, subscribing, drops, judged in (
        ("CLOSED_BY_PEER", 60_000, True, 1, "SUBSCRIBE_CLOSED"),
        ("CLOSED_BY_PEER", 60_000, False, 3, "DROPPED_REPEATEDLY"),
        ("CONNECTION_LOST", 60_000, False, 2, "CONNECTION_LOST"),
        ("CLOSED_BY_PEER", 60_000, False, 2, "CLOSED_BY_PEER"),
        ("NO_PINGRESP", 60_000, False, 3, "NO_PINGRESP"),
        ("CLOSED_BY_PEER", 1999, False, 2, "PUBLISH_CLOSED"),
        ("CLOSED_BY_PEER", 2000, False, 2, "CLOSED_BY_PEER"),
    ):
        assert causes._judge_drop(code, lasted_ms, subscribing, drops) == judged


def test_a_report_names_the_cause_and_the_next_thing_to_do():
    log = FakeLog()
    error = LinkError("WIFI_NO_AP", "home")
    link = FakeLink("connecting", failures=0)
    causes.report(error, link.lost, link, log)
    assert link.trouble == ("WIFI_NO_AP", "home") and link.failures == 1
    what, remedy = causes.explain("WIFI_NO_AP")
    pause_ms = int(log.entries[-1][2].split()[3])
    assert log.entries == [
        ("warning", "link", "WIFI_NO_AP: %s (home)" % what),
        ("warning", "link", "try: " + remedy),
        ("info", "link", "next attempt in %d ms" % pause_ms),
    ]
    assert 0 <= link.again - log.uptime_ms() <= pause_ms


def test_failures_are_in_a_row_if_no_connection_between_them_was_stable():
    for link, failures, drops in (
        (FakeLink("connecting", failures=4, drops=2), 5, 0),
        (FakeLink(lasted_ms=60_000, failures=4, drops=2), 5, 3),
        (FakeLink(lasted_ms=60_001, failures=4, drops=2), 1, 1),
        (FakeLink(lasted_ms=10_000, failures=4), 5, 1),
        (FakeLink(lasted_ms=10_001, failures=4), 1, 1),  # those before were an outage
    ):
        causes.report(OSError(104), link.lost, link, FakeLog())
        assert (link.failures, link.drops) == (failures, drops)


def test_what_tls_says_in_several_lines_is_told_in_one():
    log = FakeLog()
    error = ValueError(VERIFICATION % "validity has expired")
    link = FakeLink("connecting", failures=0)
    causes.report(error, link.lost, link, log)
    assert link.trouble == ("TLS_EXPIRED", "The certificate validity has expired")
    assert not any("\n" in text for _, _, text in log.entries)


def test_a_code_that_has_no_row_has_no_explanation():
    assert causes.explain("NO_SUCH_CODE") == ("", "")


def test_every_code_that_is_chosen_here_has_a_row():
    codes = [code for _, code in causes._VERIFICATION + causes._TLS_ERRORS]
    for code in codes + ["TLS_UNTRUSTED", "TLS_FAILED", "OUT_OF_MEMORY", "MALFORMED_PACKET"]:
        assert texts.find("causes.txt", code), code


# Back-off


def test_the_pause_is_between_one_second_and_two_minutes():
    for failures in (0, 1, 5, 7, 8, 30, 1000):
        for _ in range(50):
            assert 1000 <= causes._pause_ms(failures) <= 120_000


def test_the_ceiling_doubles_from_two_seconds_to_two_minutes():
    for failures, ceiling in ((1, 2000), (2, 4000), (3, 8000), (6, 64_000), (7, 120_000)):
        pauses = [causes._pause_ms(failures) for _ in range(200)]
        assert ceiling * 0.8 < max(pauses) <= ceiling, (failures, max(pauses))


def test_the_pause_is_random_down_to_a_second():
    pauses = [causes._pause_ms(10) for _ in range(200)]
    assert min(pauses) < 12_000
    assert len(set(pauses)) > 100
