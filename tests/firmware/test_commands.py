from sandbox import console, lazy
from sandbox.errors import LinkError

from app_around import FakeApp

SUMMARY = {"jobId": "TestJob", "executionNumber": 1, "versionNumber": 1, "queuedAt": 5}
EXECUTION = {"jobId": "TestJob", "jobDocument": {"Todo": "Reboot"}, "status": "IN_PROGRESS"}


async def done(line, app=None):
    """Do a command and return (exit status, the lines that it wrote)."""
    lines = []
    status = await console.do(app or FakeApp(), lines.append, line)
    return status, lines


async def answered(line, outcome="accepted", **members):
    app = FakeApp()
    app.simulate_service(outcome, **members)
    return (await done(line, app)) + (app.link.sent,)


def no_room_to_show(what):
    """Have the heap no room to print answers that hold a text."""
    real = lazy.borrow

    def borrow(name):
        module = real(name)
        if name == "answers":
            module.dump = lambda answer, dump=module.dump: crowded(dump, answer)
        return module

    def crowded(dump, answer):
        if what in str(answer):
            raise MemoryError
        return dump(answer)

    lazy.borrow = borrow


async def test_pending_executions_are_shown_as_the_sample_does():
    status, lines, sent = await answered(
        "get-pending-job-executions", inProgressJobs=[], queuedJobs=[SUMMARY], timestamp=9
    )
    assert status == 0
    assert lines == [
        'get-pending-job-executions result: {"inProgressJobs":[],"queuedJobs":[{"jobId":"TestJob",'
        '"executionNumber":1,"versionNumber":1,"queuedAt":5}],"timestamp":9,"clientToken":"token"}'
    ]
    assert sent[0][0] == "get"


async def test_the_next_execution_is_shown_as_the_sample_does():
    status, lines, sent = await answered(
        "start-next-pending-job-execution", execution=EXECUTION, timestamp=9
    )
    assert status == 0
    assert lines == [
        'start-next-pending-job-execution result: {"clientToken":"token","execution":{"jobId":'
        '"TestJob","jobDocument":{"Todo":"Reboot"},"status":"IN_PROGRESS"},"timestamp":9}'
    ]
    assert sent[0][0] == "start-next"


async def test_an_execution_is_described():
    status, lines, sent = await answered("describe-job-execution TestJob", execution=EXECUTION)
    assert (status, sent[0][0]) == (0, "TestJob/get")
    assert lines[0].startswith('describe-job-execution result: {"clientToken":"token","execution"')


async def test_a_document_that_the_heap_has_no_room_to_show_is_left_out_and_said_to_be():
    no_room_to_show("jobDocument")
    for line in ("describe-job-execution TestJob", "start-next-pending-job-execution"):
        status, lines, _ = await answered(line, execution=EXECUTION)
        assert status == 0 and '"jobId":"TestJob","status":"IN_PROGRESS"' in lines[0], lines
        assert "aws iot get-job-document --job-id TestJob" in lines[1]


async def test_a_command_that_the_heap_has_no_room_for_is_told_to_have_failed():
    no_room_to_show("")
    status, lines, _ = await answered("get-pending-job-executions", inProgressJobs=[])
    assert status == 1
    assert lines == ["get-pending-job-executions failed: the heap has no room for it; see status"]


async def test_an_execution_is_updated():
    for word in ("SUCCEEDED", "IN_PROGRESS", "FAILED", "REJECTED", "CANCELED"):
        status, lines, sent = await answered("update-job-execution TestJob " + word, timestamp=9)
        assert (status, sent[0][0], sent[0][1]["status"]) == (0, "TestJob/update", word)
        assert lines == ['update-job-execution result: {"clientToken":"token","timestamp":9}']


async def test_a_rejection_is_shown_with_an_explanation():
    status, lines, _ = await answered(
        "update-job-execution TestJob CANCELED",
        "rejected",
        code="InvalidStateTransition",
        message="not by a device",
    )
    assert status == 1
    assert lines[0] == "update-job-execution rejected: InvalidStateTransition: not by a device"
    assert "only the service or an operator sets CANCELED" in lines[1]


async def test_codes_of_the_service_are_explained():
    for code in ("ResourceNotFound", "VersionMismatch", "RequestThrottled"):
        _, lines, _ = await answered("describe-job-execution a", "rejected", code=code)
        assert len(lines) == 2 and lines[1].startswith("  "), code


async def test_a_code_that_nobody_knows_is_shown_alone():
    status, lines, _ = await answered(
        "describe-job-execution a", "rejected", code="New", message="m"
    )
    assert (status, lines) == (1, ["describe-job-execution rejected: New: m"])


async def test_offline_is_told_with_an_explanation():
    app = FakeApp()
    app.link.publish_error = LinkError("Offline", "")
    status, lines = await done("get-pending-job-executions", app)
    assert status == 1
    assert lines[0].startswith("get-pending-job-executions rejected: Offline")
    assert "there is no connection" in lines[1]


async def test_wrong_usage_is_told_and_nothing_is_sent():
    for line in (
        "get-pending-job-executions now",
        "start-next-pending-job-execution TestJob",
        "describe-job-execution",
        "describe-job-execution a b",
        "update-job-execution",
        "update-job-execution a",
        "update-job-execution a DONE",
        "update-job-execution a succeeded",
        "update-job-execution a QUEUED",
        "update-job-execution a FAILED now",
        "executor",
        "executor maybe",
        "log loud",
        "log info now",
        "help me",
        "quit now",
    ):
        app = FakeApp()
        status, lines = await done(line, app)
        assert status == 2, line
        assert lines[0].startswith("usage: " + line.split()[0]), lines
        assert app.link.sent == []


async def test_what_is_no_job_id_is_not_sent():
    for job_id in ("+", "#", "a/b", "a" * 65, "ü", "$other"):
        for line in ("describe-job-execution %s", "update-job-execution %s FAILED"):
            app = FakeApp()
            status, lines = await done(line % job_id, app)
            assert (status, app.link.sent) == (2, []), line % job_id


async def test_the_longest_job_id_and_next_are_sent():
    for job_id in ("a" * 64, "A-z_9", "$next"):
        status, _, sent = await answered("describe-job-execution " + job_id, execution={})
        assert (status, sent[0][0]) == (0, job_id + "/get")


async def test_an_unknown_command_is_told():
    for line in (
        "hlep",
        "do",
        "USAGE",
        "extras",
        "complete",
        "_show",
        "get_pending_job_executions",
    ):
        status, lines = await done(line)
        assert status == 2
        assert lines == ["unknown command: %s; help lists the commands" % line]


async def test_blanks_between_words_do_not_matter():
    status, _, sent = await answered("update-job-execution   a \t FAILED", timestamp=1)
    assert (status, sent[0][0]) == (0, "a/update")
