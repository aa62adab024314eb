import os

from sandbox import files
from sandbox.journal import Journal

import flash
from fakes import FakeLog, execution, raises

PATH = "/state/journal.json"
DAMAGED = "/state/journal.damaged"


def write(content):
    files.write_json("/state/made", {})
    with open(PATH, "wb") as file:
        file.write(content)


def test_it_is_empty_on_a_new_board():
    log = FakeLog()
    assert Journal(log).entry == {}
    assert log.entries == []


def test_a_begun_execution_is_found_after_a_reset():
    Journal(FakeLog()).begin("job", 1, 2, attempt=1)
    entry = Journal(FakeLog()).entry
    assert isinstance(entry.pop("began"), int)
    assert entry == {
        "jobId": "job",
        "executionNumber": 1,
        "version": 2,
        "phase": "running",
        "attempt": 1,
        "step": 0,
        "saved": {},
    }


def test_a_later_attempt_keeps_step_and_saved():
    Journal(FakeLog()).begin("job", 1, 2, attempt=1)
    Journal(FakeLog()).advance(3, {"on": True})
    Journal(FakeLog()).begin("job", 1, 5, attempt=2)
    entry = Journal(FakeLog()).entry
    assert (entry["step"], entry["saved"]) == (3, {"on": True})
    assert (entry["attempt"], entry["version"]) == (2, 5)


def test_a_first_attempt_forgets_what_another_job_saved():
    journal = Journal(FakeLog())
    journal.begin("one", 1, 2, attempt=1)
    journal.advance(3, {"on": True})
    journal.begin("two", 1, 2, attempt=1)
    assert (journal.entry["step"], journal.entry["saved"]) == (0, {})


def test_the_outcome_is_kept_until_it_is_cleared():
    journal = Journal(FakeLog())
    journal.begin("job", 1, 2, attempt=1)
    outcome = {"status": "SUCCEEDED", "details": {"pin": "led"}}
    journal.finish(execution({}, versionNumber=1), outcome)
    assert Journal(FakeLog()).entry == dict(
        {"jobId": "job", "executionNumber": 1, "version": 2, "phase": "final"}, **outcome
    )
    journal.clear()
    assert Journal(FakeLog()).entry == journal.entry == {}


def test_an_outcome_without_a_beginning_takes_the_executions_version():
    journal = Journal(FakeLog())
    journal.finish(execution({}, versionNumber=7), {"status": "REJECTED", "details": {}})
    assert Journal(FakeLog()).entry["version"] == 7


def test_an_outcome_that_flash_does_not_take_stays_in_memory():
    journal = Journal(FakeLog())
    journal.begin("job", 1, 2, attempt=1)
    flash.root.simulate_full()
    raises(OSError, journal.finish, execution({}), {"status": "FAILED", "details": {}})
    assert journal.entry["status"] == "FAILED"


def test_a_write_that_fails_leaves_the_entry_as_it_was():
    journal = Journal(FakeLog())
    journal.begin("job", 1, 2, attempt=1)
    flash.root.simulate_full()
    raises(OSError, journal.advance, 1, {})
    assert journal.entry["step"] == 0


def test_a_power_cut_while_writing_leaves_the_old_or_the_new_entry():
    journal = Journal(FakeLog())
    journal.begin("job", 1, 2, attempt=1)
    for at in range(12):
        journal.advance(0, {})
        flash.root.simulate_power_cut(at, journal.advance, 1, {"on": True})
        log = FakeLog()
        assert Journal(log).entry["step"] in (0, 1)
        assert log.entries == [], at


def test_what_is_damaged_is_set_aside_with_a_log_line():
    for content in (b"", b'{"jobId":"jo', b"\0" * 100, b"\xff\xff", b"[]", b"null"):
        write(content)
        log = FakeLog()
        assert Journal(log).entry == {}, content
        assert log.entries[0][0] == "error"
        assert log.says("set aside as " + DAMAGED)
        with open(DAMAGED, "rb") as file:
            assert file.read() == content
        assert "journal.json" not in os.listdir("/state")


def test_what_is_nested_too_deep_or_too_large_for_the_heap_is_set_aside():
    deep, large = b'{"a":' * 3000, b"[" + b"[]," * 5000 + b"[]]"
    for content in (deep, large):
        write(content)
        log = FakeLog()
        assert Journal(log).entry == {}
        assert log.says("set aside")
        os.remove(DAMAGED)  # to have the room


def test_what_is_foreign_is_set_aside():
    running = (
        b'{"jobId":"a","executionNumber":1,"version":1,"phase":"running",'
        b'"attempt":1,"step":0,"saved":{}}'
    )
    final = (
        b'{"jobId":"a","executionNumber":1,"version":1,"phase":"final",'
        b'"status":"FAILED","details":{}}'
    )
    for good in (running, final):
        write(good)
        assert Journal(FakeLog()).entry, "the entry that is spoiled below is good"
    for content in (
        b"{}",
        b'{"job":"of another program"}',
        running.replace(b'"jobId":"a"', b'"jobId":5'),
        running.replace(b'"running"', b'"dancing"'),
        running.replace(b'"attempt":1,', b""),
        running.replace(b'"step":0', b'"step":"0"'),
        running.replace(b'"saved":{}', b'"saved":[]'),
        final.replace(b'"status":"FAILED",', b""),
        final.replace(b'"details":{}', b'"details":"x"'),
        final.replace(b'"details":{}', b'"details":{"code":5}'),
        running.replace(b'"jobId":"a"', b'"jobId":"a/b"'),
        running.replace(b'"jobId":"a"', b'"jobId":"#"'),
        running.replace(b'"jobId":"a"', b'"jobId":""'),
        running.replace(b'"jobId":"a"', b'"jobId":"%s"' % (b"x" * 65)),
    ):
        write(content)
        log = FakeLog()
        assert Journal(log).entry == {}, content
        assert log.says("set aside")


def test_a_damaged_journal_on_a_full_flash_does_not_keep_the_board_from_starting():
    write(b"{")
    flash.root.simulate_full()
    log = FakeLog()
    assert Journal(log).entry == {}
    assert log.says("set aside")
