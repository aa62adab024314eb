from sandbox.log import LEVELS, Log


class Loud:
    """Fails when it is formatted."""

    def __str__(self):
        raise AssertionError("formatted for nothing")

    __repr__ = __str__


def test_a_line_has_level_uptime_module_and_text():
    lines = []
    Log(lines.append).info("link", "connected in %d ms", 812)
    level, uptime, rest = lines[0].split(" ", 2)
    seconds, _, thousandths = uptime.partition(".")
    assert (level, rest) == ("I", "link: connected in 812 ms")
    assert seconds.isdigit() and len(thousandths) == 3


def test_each_level_shows_itself_and_what_is_graver():
    for shown, level in enumerate(LEVELS):
        lines = []
        log = Log(lines.append, level)
        for write in (log.error, log.warning, log.info, log.debug):
            write("x", "text")
        assert [line[0] for line in lines] == list("EWID")[: shown + 1]


def test_arguments_are_not_formatted_when_the_level_is_off():
    Log(print, "info").debug("x", "%s", Loud())


def test_a_percent_sign_without_arguments_is_text():
    lines = []
    Log(lines.append).info("x", "100 % sure")
    assert lines[0].endswith("x: 100 % sure")


def test_the_last_lines_are_kept_for_which_there_is_room():
    log = Log(lambda line: None)
    for i in range(40):
        log.info("x", "line %d", i)
        assert sum(len(line) + 32 for line in log.lines) <= 1024
    numbers = [line.split()[-1] for line in log.lines]
    assert 18 <= len(numbers) <= 22 and numbers == [str(i) for i in range(40 - len(numbers), 40)]
    log.info("x", "y" * 300)
    assert len(log.lines[-1]) == 200 and log.lines[-2].endswith("line 39")


def test_lines_that_are_not_shown_are_not_kept():
    log = Log(lambda line: None, "error")
    log.info("x", "quiet")
    assert log.lines == []


def test_a_long_line_is_cut_at_200_characters():
    lines = []
    Log(lines.append).info("x", "%s", "y" * 1000)
    assert len(lines[0]) == 200


def test_the_last_lines_outlive_a_reset():
    log = Log(lambda line: None)
    kept = []
    log.outlive = kept.append
    for i in range(6):
        log.info("x", "line %d", i)
    assert [line.split(b": ")[1] for line in kept[-1].split(b"\n")] == [
        b"line 2",
        b"line 3",
        b"line 4",
        b"line 5",
    ]
    log.info("x", "\u20ac" * 300)
    log.debug("x", "not shown")
    assert len(kept) == 7 and len(kept[-1]) < 2048


def test_memory_that_has_no_room_for_a_line_does_not_stop_the_log():
    lines = []
    for error in (ValueError("buffer too long"), MemoryError()):

        def refuse(data):
            raise error

        log = Log(lines.append)
        log.outlive = refuse
        log.info("x", "shown")
    assert len(lines) == 2


def test_uptime_grows():
    log = Log(lambda line: None)
    assert 0 <= log.uptime_ms() <= log.uptime_ms()
