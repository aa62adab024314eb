import os

from sandbox import delivery, files, work
from sandbox.errors import JobsError
from sandbox.journal import Journal

import flash
from agent import Agent
from fakes import FakeJobs, FakeLog, entry, execution, raises, raises_async

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


async def test_a_begun_execution_is_found_after_a_reset():
    agent = Agent(FakeJobs())
    assert work.begin(agent.executor, execution({}, versionNumber=2)) is None
    found = Journal(FakeLog()).entry
    assert isinstance(found.pop("began"), int)
    assert found == entry()


async def test_a_later_attempt_keeps_step_and_saved():
    Agent(FakeJobs()).journal.write(entry())
    Agent(FakeJobs()).journal.advance(3, {"on": True})
    work.begin(Agent(FakeJobs()).executor, execution({}, versionNumber=5))
    assert Journal(FakeLog()).entry == entry(step=3, saved={"on": True}, attempt=2, version=5)


async def ended_offline(agent):
    agent.jobs.simulate_error("update", JobsError("Offline"))
    await raises_async(
        JobsError, delivery.finish(agent.executor, execution({}, versionNumber=7), "FAILED", {})
    )


async def test_the_outcome_is_kept_until_it_is_cleared():
    agent = Agent(FakeJobs())
    agent.journal.write(entry())
    await ended_offline(agent)
    assert Journal(FakeLog()).entry == {
        "jobId": "job",
        "executionNumber": 1,
        "version": 2,
        "phase": "final",
        "status": "FAILED",
        "details": {},
    }
    agent.journal.clear()
    assert Journal(FakeLog()).entry == agent.journal.entry == {}


async def test_an_outcome_without_a_beginning_takes_the_executions_version():
    await ended_offline(Agent(FakeJobs()))
    assert Journal(FakeLog()).entry["version"] == 7


async def test_an_outcome_that_flash_does_not_take_stays_in_memory():
    agent = Agent(FakeJobs())
    agent.journal.write(entry())
    flash.root.simulate_full()
    await ended_offline(agent)
    assert agent.journal.entry["status"] == "FAILED"
    assert agent.log.says("the outcome is not kept over a reset")


def test_a_write_that_fails_leaves_the_entry_as_it_was():
    journal = Journal(FakeLog())
    journal.write(entry())
    flash.root.simulate_full()
    raises(OSError, journal.advance, 1, {})
    assert journal.entry["step"] == 0


def test_a_power_cut_while_writing_leaves_the_old_or_the_new_entry():
    journal = Journal(FakeLog())
    journal.write(entry())
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
