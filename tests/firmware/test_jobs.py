import asyncio
import json
import time

from sandbox import jobs as client
from sandbox.errors import JobsError, LinkError
from sandbox.jobs import TOO_LARGE, Jobs

import lapse
from fakes import FakeLink, FakeLog, raises_async

SUMMARY = {"jobId": "a", "executionNumber": 1, "versionNumber": 1}
STATE = {"status": "SUCCEEDED", "versionNumber": 3}


class Changes:
    """Counts the calls of `on_change`, and keeps the last one's argument."""

    def __init__(self):
        self.count = 0
        self.certain = None

    def __call__(self, certain):
        self.count += 1
        self.certain = certain


def made():
    link, log = FakeLink(), FakeLog()
    jobs = Jobs(link, log)
    jobs.on_change = Changes()
    jobs.on_event = lambda: None
    return jobs, link, log


async def begun(request, link):
    """Begin a request and return its task, the request published."""
    before = len(link.sent)
    task = asyncio.create_task(request)
    while len(link.sent) == before:
        await asyncio.sleep_ms(1)
    return task


# Requests


async def test_each_request_goes_to_its_topic_with_a_token():
    jobs, link, _ = made()
    link.answer = lambda tail, members: link.simulate_answer("accepted")
    await jobs.get_pending()
    await jobs.start_next(stepTimeoutInMinutes=10)
    await jobs.describe("a", includeJobDocument=False)
    await jobs.update("a", "SUCCEEDED", expectedVersion=2)
    tokens = [members.pop("clientToken") for _, members in link.sent]
    assert link.sent == [
        ("get", {}),
        ("start-next", {"stepTimeoutInMinutes": 10}),
        ("a/get", {"includeJobDocument": False}),
        ("a/update", {"status": "SUCCEEDED", "expectedVersion": 2}),
    ]
    assert len(set(tokens)) == 4
    assert all(len(token) == 36 and token[14] == "4" for token in tokens), "random UUIDs"


async def test_the_answer_is_returned():
    jobs, link, _ = made()
    link.answer = lambda tail, members: link.simulate_answer("accepted", timestamp=5)
    assert (await jobs.describe("a"))["timestamp"] == 5


async def test_answers_in_another_order_find_their_requests():
    jobs, link, _ = made()
    first = await begun(jobs.describe("a"), link)
    second = await begun(jobs.describe("a"), link)
    tokens = [members["clientToken"] for _, members in link.sent]
    for number in (1, 0):
        link.simulate_message("a/get/accepted", {"clientToken": tokens[number], "n": number})
    assert (await first)["n"] == 0
    assert (await second)["n"] == 1


async def test_a_rejection_is_an_error_with_its_code_and_state():
    jobs, link, _ = made()
    link.answer = lambda tail, members: link.simulate_answer(
        "rejected", code="InvalidStateTransition", message="no", executionState=STATE
    )
    error = await raises_async(JobsError, jobs.update("a", "IN_PROGRESS"))
    assert (error.code, error.message, error.state) == ("InvalidStateTransition", "no", STATE)


async def test_a_rejection_without_token_goes_to_the_request_of_its_topic():
    jobs, link, _ = made()
    other = await begun(jobs.get_pending(), link)
    request = await begun(jobs.update("a", "FAILED"), link)
    link.simulate_message("a/update/rejected", {"code": "InvalidJson", "message": "?"})
    error = await raises_async(JobsError, request)
    assert error.code == "InvalidJson"
    assert not other.done()
    other.cancel()


async def test_foreign_and_late_and_doubled_answers_are_dropped():
    jobs, link, log = made()
    request = await begun(jobs.describe("a"), link)
    link.simulate_message("a/get/accepted", {"clientToken": "of another", "n": 1})
    link.simulate_message("a/get/accepted", {"clientToken": 5, "n": 1})
    link.simulate_answer("accepted", n=2)
    link.simulate_answer("accepted", n=3)
    assert (await request)["n"] == 2
    link.simulate_answer("rejected", code="InternalError")
    link.simulate_message("b/update/rejected", {"code": "InvalidJson"})
    assert log.entries[-1][0] == "debug"
    assert jobs._waiting == {}


async def test_no_answer_is_a_timeout_and_the_link_is_checked():
    jobs, link, _ = made()
    request = await begun(jobs.get_pending(), link)
    began = time.ticks_ms()
    while not request.done():
        link.on_glance()
        await asyncio.sleep_ms(100)
    assert time.ticks_diff(time.ticks_ms(), began) * lapse.FACTOR > 9900
    error = await raises_async(JobsError, request)
    assert (error.code, error.message) == ("Timeout", "no answer in 10000 ms")
    assert link.checks == 1
    assert jobs._waiting == {}


async def test_offline_is_told_at_once():
    jobs, link, _ = made()
    link.publish_error = LinkError("Offline", "")
    error = await raises_async(JobsError, jobs.start_next())
    assert error.code == "Offline"
    assert jobs._waiting == {}


async def test_a_link_that_closes_ends_every_request():
    jobs, link, _ = made()
    first = await begun(jobs.describe("a"), link)
    second = await begun(jobs.start_next(), link)
    link.on_closed()
    for request in (first, second):
        assert (await raises_async(JobsError, request)).code == "Offline"


async def test_an_oversized_answer_is_an_error_of_its_own():
    jobs, link, _ = made()
    request = await begun(jobs.start_next(), link)
    link.on_oversized("start-next/accepted")
    assert (await raises_async(JobsError, request)).code == TOO_LARGE


async def test_an_oversized_event_may_have_changed_the_set():
    jobs, link, _ = made()
    link.on_oversized("notify-next")
    assert jobs.on_change.count == 1 and jobs.on_change.certain is False
    link.on_oversized("b/get/accepted")
    assert jobs.on_change.count == 1, "an answer that nobody waits for"


# The set of incomplete executions


async def test_the_set_is_what_get_pending_says():
    jobs, link, _ = made()
    jobs.pending = {"old": "QUEUED"}
    link.answer = lambda tail, members: link.simulate_answer(
        "accepted", inProgressJobs=[SUMMARY], queuedJobs=[dict(SUMMARY, jobId="b")]
    )
    await jobs.get_pending()
    assert jobs.pending == {"a": "IN_PROGRESS", "b": "QUEUED"}
    assert jobs.on_change.count == 1


async def test_the_set_is_what_notify_says():
    jobs, link, _ = made()
    link.simulate_message("notify", {"jobs": {"IN_PROGRESS": [SUMMARY]}, "timestamp": 1})
    assert jobs.pending == {"a": "IN_PROGRESS"}
    link.simulate_message("notify", {"jobs": {"QUEUED": [SUMMARY]}})
    assert jobs.pending == {"a": "QUEUED"}
    link.simulate_message("notify", {"jobs": {}})
    assert jobs.pending == {}
    assert jobs.on_change.count == 3 and jobs.on_change.certain


async def test_the_set_is_complete_once_it_was_told_until_something_changes_it():
    jobs, link, _ = made()
    link.answer = lambda tail, members: link.simulate_answer("accepted")
    assert not jobs.complete
    link.simulate_message("notify", {"jobs": {"IN_PROGRESS": [SUMMARY]}})
    assert jobs.complete
    await jobs.update("a", "SUCCEEDED")
    assert not jobs.complete, "what follows it is not known"
    for miss in (link.on_closed, lambda: link.on_oversized("notify")):
        link.simulate_message("notify", {"jobs": {}})
        await jobs.update("a", "SUCCEEDED")
        assert jobs.complete, "it was told before"
        miss()
        assert not jobs.complete
    ten = [dict(SUMMARY, jobId=str(number)) for number in range(10)]
    link.simulate_message("notify", {"jobs": {"QUEUED": ten}})
    assert not jobs.complete, "the service lists no more than ten"


async def test_what_comes_behind_an_answer_knows_better_though_nobody_has_seen_the_answer_yet():
    jobs, link, _ = made()
    task = await begun(jobs.get_pending(), link)
    link.simulate_answer("accepted", inProgressJobs=[], queuedJobs=[])
    link.simulate_message("notify", {"jobs": {"QUEUED": [SUMMARY]}})
    await task
    assert jobs.pending == {"a": "QUEUED"} and jobs.complete
    task = await begun(jobs.start_next(), link)
    link.simulate_answer("accepted", execution=dict(SUMMARY, status="IN_PROGRESS"))
    link.simulate_message("notify", {"jobs": {}})  # it has been cancelled
    assert (await task)["execution"]["jobId"] == "a"
    assert jobs.pending == {}


async def test_notify_next_adds_to_the_set():
    jobs, link, _ = made()
    link.simulate_message("notify-next", {"execution": dict(SUMMARY, status="QUEUED")})
    assert jobs.pending == {"a": "QUEUED"}
    link.simulate_message("notify-next", {"timestamp": 1})
    link.simulate_message("notify-next", {"execution": {}})
    assert jobs.pending == {"a": "QUEUED"}
    assert jobs.on_change.count == 3


async def test_our_own_requests_change_the_set():
    jobs, link, _ = made()
    link.answer = lambda tail, members: link.simulate_answer("accepted", execution=SUMMARY)
    await jobs.start_next()
    assert jobs.pending == {"a": "IN_PROGRESS"}
    await jobs.update("a", "IN_PROGRESS")
    assert jobs.pending == {"a": "IN_PROGRESS"}
    for status in ("SUCCEEDED", "FAILED", "REJECTED"):
        jobs.pending = {"a": "IN_PROGRESS", "b": "QUEUED"}
        await jobs.update("a", status)
        assert jobs.pending == {"b": "QUEUED"}


async def test_a_refused_update_leaves_the_set():
    jobs, link, _ = made()
    jobs.pending = {"a": "QUEUED"}
    link.answer = lambda tail, members: link.simulate_answer("rejected", code="VersionMismatch")
    await raises_async(JobsError, jobs.update("a", "SUCCEEDED"))
    assert jobs.pending == {"a": "QUEUED"}


async def test_no_next_job_leaves_the_set():
    jobs, link, _ = made()
    for members in ({}, {"execution": {}}):
        link.answer = lambda tail, _: link.simulate_answer("accepted", **members)
        assert "execution" not in await jobs.start_next()
    assert jobs.pending == {}


# Events


async def test_an_event_that_there_is_no_room_for_changes_the_set_all_the_same():
    def dump(event):
        raise MemoryError

    jobs, link, _ = made()
    real, client._dump = client._dump, dump
    link.simulate_message("notify", {"jobs": {"QUEUED": [SUMMARY]}})
    client._dump = real
    assert jobs.pending == {"a": "QUEUED"} and jobs.on_change.count == 1
    assert jobs.events == [("JobExecutionsChanged", "{}")]


async def test_of_many_events_that_wait_to_be_shown_the_oldest_are_left_out():
    jobs, link, _ = made()
    for number in range(12):
        link.simulate_message("notify", {"timestamp": number, "": "x" * 500})
    assert [json.loads(event)["timestamp"] for _, event in jobs.events] == [9, 10, 11]
    link.simulate_message("notify", {"timestamp": 12, "": "x" * 2100})
    assert [json.loads(event)["timestamp"] for _, event in jobs.events] == [12], "one may be long"


async def test_events_come_in_their_order_with_their_names():
    jobs, link, _ = made()
    link.simulate_message("notify", {"jobs": {}, "timestamp": 1})
    link.simulate_message("notify-next", {"timestamp": 2})
    assert jobs.events == [
        ("JobExecutionsChanged", '{"jobs":{},"timestamp":1}'),
        ("NextJobExecutionChanged", '{"timestamp":2}'),
    ]


# What the service never sends

BROKEN = (
    b"",
    b"{",
    b"\xff\xfe\0",
    b"[1]",
    b"null",
    b'"text"',
    b"[" * 10_000,
    b'{"a":' * 2_000,
    b'{"jobs":NaN}',
)
ODD = (
    {"jobs": []},
    {"jobs": "x"},
    {"jobs": [1]},
    {"jobs": None},
    {"jobs": {"QUEUED": "x"}},
    {"jobs": {"QUEUED": {"jobId": "a"}}},
    {"jobs": {"IN_PROGRESS": [None]}},
    {"jobs": {"IN_PROGRESS": [{"executionNumber": 1}]}},
    {"jobs": {"QUEUED": [{"jobId": 5}]}},
    {"jobs": {"QUEUED": [{"jobId": ["a"]}]}},
    {"execution": "x"},
    {"execution": []},
    {"execution": [1]},
    {"execution": 5},
    {"execution": {"status": "QUEUED"}},
    {"execution": {"jobId": None}},
    {"execution": {"jobId": {}}},
    {"inProgressJobs": "x"},
    {"queuedJobs": [5]},
    {"executionState": "x", "code": 5, "message": None},
    {"clientToken": ["a"]},
    {"clientToken": {}},
)
TAILS = ("notify", "notify-next", "get/accepted", "a/update/rejected", "", "//")


async def test_whatever_comes_nothing_is_raised_and_the_set_stays_sound():
    jobs, link, _ = made()
    for tail in TAILS:
        for message in BROKEN + ODD:
            link.simulate_message(tail, message)
            assert all(isinstance(job_id, str) for job_id in jobs.pending), message


async def test_what_is_no_json_object_is_dropped_with_a_log_line():
    jobs, link, log = made()
    jobs.pending = {"a": "QUEUED"}
    for message in BROKEN[:6]:
        del log.entries[:]
        link.simulate_message("notify", message)
        assert log.entries[0][0] == "warning", message
    assert jobs.pending == {"a": "QUEUED"}
    assert jobs.events == []


async def test_an_odd_answer_does_not_reach_who_asked():
    for members in ODD:
        jobs, link, _ = made()
        for request in (jobs.start_next, jobs.get_pending):
            task = await begun(request(), link)
            link.simulate_answer("accepted", **members)
            link.simulate_answer("accepted", timestamp=7)
            try:
                answer = await task
            except JobsError as error:
                raise AssertionError((members, error.code))
            assert isinstance(answer.get("execution", {}), dict), members
            assert isinstance(answer.get("queuedJobs", []), list), members


class NoRoom:
    """A `json` whose reader finds no memory."""

    def loads(self, text):
        raise MemoryError


async def test_a_message_that_the_heap_cannot_hold_counts_as_oversized():
    jobs, link, _ = made()
    request = await begun(jobs.start_next(), link)
    client.json = NoRoom()
    link.simulate_message("start-next/accepted", {"execution": SUMMARY})
    assert (await raises_async(JobsError, request)).code == TOO_LARGE
