import asyncio

from sandbox import executor, lazy
from sandbox.errors import JobFailed, JobsError
from sandbox.jobs import TOO_LARGE
from sandbox.journal import Journal

import flash
import lapse
from agent import Agent
from fakes import FakeJobs, entry, execution, raises_async

ON = {"operation": "gpio", "pin": "led", "action": "on"}
TOGGLE = {"operation": "gpio", "pin": "led", "action": "toggle"}
ON_DONE = {"pin": "led", "state": "on", "operation": "gpio", "code": "OK"}
ENDED = {"status": "CANCELED", "versionNumber": 3}


class Operation:
    """Stands in for an operation's module: `run` is a coroutine of the test."""

    TIMEOUT_S = 60
    ARGUMENTS = {}

    def __init__(self, run):
        self.run = run


def operate(run, steps=1):
    """Let every plan be these steps."""
    real = lazy.borrow

    class Plan:
        """In place of `plan` and of `arguments`."""

        def parse(self, execution, board):
            return [("fake", {}, 0) for _ in range(steps)]

        def check(self, parsed, board):
            return parsed

    def borrow(name):
        if name == "operations.fake":
            return Operation(run)
        return Plan() if name in ("plan", "arguments") else real(name)

    executor.borrow = lazy.borrow = borrow


async def settled(agent):
    """Run the next job as the executor does, and let pass what it raises."""
    answer = await agent.jobs.start_next()
    await agent.executor._execute(answer["execution"])


# Outcomes


async def test_a_job_that_is_done_is_reported_with_what_was_done():
    agent = Agent(FakeJobs(execution(ON)))
    await agent.work()
    job_id, status, members = agent.jobs.updates[-1]
    assert (job_id, status) == ("job", "SUCCEEDED")
    assert (members["expectedVersion"], members["executionNumber"]) == (2, 1)
    assert "stepTimeoutInMinutes" not in members
    assert agent.outcome()[1] == ON_DONE
    assert int(members["statusDetails"]["duration_ms"]) < 60_000
    assert agent.journal.entry == {}


async def test_a_document_that_we_fail_at_ends_its_job():
    agent = Agent(FakeJobs(execution(ON)))
    agent.board.pins = None
    await agent.work()
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "INTERNAL_ERROR")
    assert details["reason"][:16] == "AttributeError: ", details


async def test_a_document_that_is_not_for_the_board_is_rejected_with_the_reason():
    agent = Agent(FakeJobs(execution({"Todo": "Delete Root User"})))
    await agent.work()
    status, details = agent.outcome()
    assert status == "REJECTED"
    assert details == {"code": "UNKNOWN_OPERATION", "reason": "Todo must be one of Reboot"}
    assert agent.board.switched == []


async def test_a_missing_document_is_rejected():
    agent = Agent(FakeJobs(execution(None)))
    await agent.work()
    assert agent.outcome()[0] == "REJECTED"


async def test_a_step_that_fails_fails_the_job():
    async def run(arguments, job):
        raise JobFailed("BROKEN", "it is broken")

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    await settled(agent)
    assert agent.outcome() == (
        "FAILED",
        {
            "code": "BROKEN",
            "reason": "it is broken",
            "operation": "fake",
            "step": "1",
            "of": "1",
        },
    )


async def test_a_fault_of_ours_fails_the_job_and_nothing_else():
    async def run(arguments, job):
        raise KeyError("oops")

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    await settled(agent)
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "INTERNAL_ERROR")
    assert "KeyError" in details["reason"]


async def test_a_step_that_takes_too_long_fails_the_job():
    async def run(arguments, job):
        await asyncio.sleep(3600)

    operate(run)
    Operation.TIMEOUT_S = 1
    agent = Agent(FakeJobs(execution({})))
    await settled(agent)
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "STEP_TIMEOUT")
    assert details["reason"] == "fake, step 1, took over 1 s"


async def test_several_steps_run_in_order_and_are_counted():
    steps = [dict(ON, pin="relay"), ON, TOGGLE]
    agent = Agent(FakeJobs(execution({"steps": steps})))
    await agent.work()
    assert agent.board.switched == [("relay", True), ("led", True), ("led", False)]
    assert agent.outcome()[1] == dict(ON_DONE, state="off", steps="3")


async def test_a_full_flash_fails_the_job_before_its_effect():
    agent = Agent(FakeJobs(execution(ON)))
    flash.root.simulate_full()
    await agent.work()
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "FLASH_FULL")
    assert agent.board.switched == []
    assert agent.log.says("not kept over a reset")


# Interruptions: the journal makes the effect happen once


async def test_the_journal_knows_the_job_before_its_effect():
    seen = []
    agent = Agent(FakeJobs(execution(TOGGLE)))
    switch = agent.board.switch
    agent.board.switch = lambda *what: (seen.append(Journal(agent.log).entry), switch(*what))
    await agent.work()
    assert seen[0]["jobId"] == "job"
    assert (seen[0]["phase"], seen[0]["saved"]) == ("running", {"on": True})


async def test_a_toggle_that_was_interrupted_is_not_undone():
    agent = Agent(FakeJobs(execution(TOGGLE)))
    agent.board.simulate_power_cut(after="led")
    await agent.work_until_power_is_cut()
    agent = agent.restarted("PWRON_RESET")
    await agent.work()
    assert agent.board.switched == [("led", True), ("led", True)]
    assert agent.outcome() == ("SUCCEEDED", ON_DONE)
    assert agent.log.says("job resumed")


async def test_steps_that_are_done_are_not_done_again():
    agent = Agent(FakeJobs(execution({"steps": [dict(ON, pin="relay"), ON]})))
    agent.board.simulate_power_cut(before="led")
    await agent.work_until_power_is_cut()
    agent = agent.restarted()
    await agent.work()
    assert agent.board.switched == [("relay", True), ("led", True)]


async def test_a_job_that_resets_the_board_again_and_again_fails():
    agent = Agent(FakeJobs(execution(ON)))
    for _ in range(5):
        agent.board.simulate_power_cut(before="led")
        await agent.work_until_power_is_cut()
        agent = agent.restarted()
    await agent.work()
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "INTERRUPTED")
    assert details["resetCause"] == "HARD_RESET", "which reset it was explains the failure"


async def test_an_interrupted_job_that_was_cancelled_meanwhile_is_dropped():
    agent = Agent(FakeJobs(execution(ON)))
    agent.journal.write(entry())
    agent.jobs.executions[0]["status"] = "CANCELED"
    agent = agent.restarted()
    await agent.work()
    assert agent.jobs.updates == [] and agent.board.switched == []
    assert agent.journal.entry == {}
    assert agent.log.says("job dropped: it is CANCELED")


async def test_an_interrupted_job_that_was_deleted_meanwhile_is_dropped():
    agent = Agent(FakeJobs())
    agent.journal.write(entry())
    agent.jobs.simulate_error("describe", JobsError("ResourceNotFound", "no such job"))
    await agent.work()
    assert agent.journal.entry == {}
    assert agent.log.says("job dropped: ResourceNotFound no such job")


async def test_an_interrupted_job_waits_while_the_service_cannot_be_asked():
    agent = Agent(FakeJobs(execution(ON, status="IN_PROGRESS")))
    agent.journal.write(entry())
    again = (
        "Offline",
        "Timeout",
        "RequestThrottled",
        "InternalError",
        "InvalidTopic",
        "InvalidJson",
    )
    for code in again:
        agent.jobs.simulate_error("describe", JobsError(code))
        await raises_async(JobsError, agent.work())
        assert agent.journal.entry["phase"] == "running", code
    await agent.work()
    assert agent.outcome()[0] == "SUCCEEDED"


async def test_an_interrupted_job_whose_document_cannot_be_held_again_is_not_begun_anew():
    agent = Agent(FakeJobs(execution(ON, status="IN_PROGRESS")))
    agent.journal.write(entry())
    agent.jobs.simulate_error("describe", JobsError(TOO_LARGE, "it is large"))
    await agent.work()
    assert agent.outcome() == ("FAILED", {"code": "OUT_OF_MEMORY", "reason": "it is large"})
    assert agent.jobs.updates[-1][2]["expectedVersion"] == 2
    assert agent.board.switched == [] and agent.journal.entry == {}


# Delivery of the outcome


async def test_an_outcome_waits_in_flash_until_it_is_accepted():
    agent = Agent(FakeJobs(execution(ON)))
    for code in ("Offline", "Timeout", "RequestThrottled", "InternalError"):
        agent.jobs.simulate_error("update", JobsError(code))
        await raises_async(JobsError, agent.work())
        assert agent.journal.entry["status"] == "SUCCEEDED", code
    agent = agent.restarted()
    await agent.work()
    assert agent.outcome() == ("SUCCEEDED", ON_DONE)
    assert agent.board.switched == [("led", True)], "the effect happened once"


async def test_an_outcome_whose_answer_was_lost_counts_as_delivered():
    agent = Agent(FakeJobs(execution(ON)))
    agent.jobs.simulate_lost_reply(JobsError("Timeout"))
    await raises_async(JobsError, agent.work())
    done = {"status": "SUCCEEDED", "versionNumber": 3}
    agent.jobs.simulate_error("update", JobsError("InvalidStateTransition", "", done))
    await agent.work()
    assert agent.journal.entry == {}
    assert agent.log.says("job SUCCEEDED")


async def test_an_outcome_that_is_definitively_refused_is_dropped():
    for code in ("InvalidStateTransition", "TerminalStateReached", "ResourceNotFound"):
        agent = Agent(FakeJobs(execution(ON)))
        agent.jobs.simulate_error("update", JobsError(code, "too late", ENDED))
        await agent.work()
        assert agent.journal.entry == {}
        assert agent.log.says("job dropped: " + code)


async def test_details_that_the_service_does_not_take_are_left_out():
    agent = Agent(FakeJobs(execution(ON)))
    agent.jobs.simulate_error("update", JobsError("InvalidRequest", "details"))
    await agent.work()
    assert agent.outcome() == ("SUCCEEDED", {})


async def test_of_details_that_the_heap_cannot_send_the_longest_is_left_out():
    agent = Agent(FakeJobs(execution(ON)))
    real = agent.jobs.update

    async def update(job_id, status, **members):
        if "stdout" in members.get("statusDetails", {}):
            raise MemoryError
        await real(job_id, status, **members)

    agent.jobs.update = update
    details = {"code": "OK", "stdout": "long", "steps": "2"}
    agent.journal.write(entry(phase="final", status="SUCCEEDED", details=details))
    await agent.work()
    assert agent.outcome() == ("SUCCEEDED", {"code": "OK", "steps": "2"})


async def test_a_report_that_stays_invalid_is_kept_since_the_job_would_be_run_again():
    agent = Agent(FakeJobs(execution(ON)))
    error = JobsError("InvalidRequest", "no")
    agent.jobs.simulate_error("update", error, error)
    assert (await raises_async(JobsError, agent.work())).code == "InvalidRequest"
    assert agent.journal.entry["phase"] == "final"


async def test_a_newer_version_of_a_live_execution_is_adopted_once():
    agent = Agent(FakeJobs(execution(ON)))
    state = {"status": "IN_PROGRESS", "versionNumber": 9}
    agent.jobs.simulate_error("update", JobsError("VersionMismatch", "", state))
    await agent.work()
    assert agent.jobs.updates[-1][2]["expectedVersion"] == 9


async def test_a_version_of_an_ended_execution_is_not_adopted():
    agent = Agent(FakeJobs(execution(ON)))
    agent.jobs.simulate_error("update", JobsError("VersionMismatch", "", ENDED))
    await agent.work()
    assert agent.jobs.updates == []
    assert agent.journal.entry == {}


# Cancelled while it runs


async def test_a_job_that_the_operator_cancels_stops_and_is_not_reported():
    stopped = []

    async def run(arguments, job):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    task = asyncio.create_task(settled(agent))
    while not agent.executor.check_cancelled:
        await asyncio.sleep_ms(1)
    agent.jobs.executions[0]["status"] = "CANCELED"
    agent.jobs.pending = {}
    agent.executor.wake()
    await task
    assert stopped == [True]
    assert agent.jobs.updates == [] and agent.journal.entry == {}
    assert agent.log.says("job dropped: CANCELED stopped by the operator")


async def cancelled(agent, turns):
    """Run the next job and cancel it once it has had a turn; return when it has ended."""
    task = asyncio.create_task(settled(agent))
    while not turns:
        await asyncio.sleep_ms(1)
    agent.jobs.executions[0]["status"] = "CANCELED"
    agent.jobs.pending = {}
    agent.executor.wake()
    await task


async def test_a_job_ends_when_it_is_cancelled_though_its_operation_does_not():
    async def run(arguments, job):
        for _ in range(60):
            turns.append(True)
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                pass  # as one of the board's owner may, by mistake

    turns = []
    operate(run)
    agent = Agent(FakeJobs(execution({})))
    await cancelled(agent, turns)
    assert len(turns) < 30, "it would go on for 60"
    assert agent.log.says("job dropped: CANCELED") and agent.jobs.updates == []


async def test_a_job_that_waits_for_room_ends_when_it_is_cancelled():
    class Crowded(list):
        def __getitem__(self, number):
            turns.append(True)
            raise MemoryError

    turns = []
    operate(None)
    agent = Agent(FakeJobs(execution({})))
    planned = executor.borrow("plan").parse(None, None)
    plan = executor.borrow("plan")
    plan.check = lambda parsed, board: Crowded(planned)
    real = executor.borrow
    executor.borrow = lambda name: plan if name in ("plan", "arguments") else real(name)
    await cancelled(agent, turns)
    assert agent.log.says("job dropped: CANCELED") and agent.jobs.updates == []


async def test_a_change_that_is_heard_when_the_job_has_been_dropped_does_no_harm():
    async def run(arguments, job):
        await asyncio.sleep(3600)

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    task = asyncio.create_task(settled(agent))
    while not agent.executor.check_cancelled:
        await asyncio.sleep_ms(1)
    late = agent.executor.check_cancelled
    agent.jobs.executions[0]["status"] = "TIMED_OUT"
    agent.jobs.pending = {}
    agent.executor.wake()
    await task
    asked = len(agent.jobs.requests)
    await late()
    assert len(agent.jobs.requests) == asked


async def test_a_job_missing_from_the_set_is_not_stopped_while_the_service_has_it():
    async def run(arguments, job):
        await asyncio.sleep_ms(400)
        return {}

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    task = asyncio.create_task(settled(agent))
    while not agent.executor.check_cancelled:
        await asyncio.sleep_ms(1)
    agent.jobs.pending = {}  # ten others are listed
    agent.executor.wake()
    await task
    assert agent.outcome()[0] == "SUCCEEDED"
    assert "describe" in agent.jobs.requests


async def test_a_job_goes_on_when_the_service_cannot_be_asked_about_it():
    async def run(arguments, job):
        await asyncio.sleep_ms(400)
        return {}

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    agent.jobs.simulate_error("describe", JobsError("Offline"))
    task = asyncio.create_task(settled(agent))
    while not agent.executor.check_cancelled:
        await asyncio.sleep_ms(1)
    agent.jobs.pending = {}
    agent.executor.wake()
    await task
    assert agent.outcome()[0] == "SUCCEEDED"
    assert lapse.FACTOR > 1


# Progress reports


async def test_progress_is_reported_and_its_version_counts():
    async def run(arguments, job):
        await job.report({"percent": 50})
        return {}

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    await settled(agent)
    (_, first, members), (_, last, final) = agent.jobs.updates
    assert (first, last) == ("IN_PROGRESS", "SUCCEEDED")
    assert members["statusDetails"] == {"percent": "50"}
    assert (members["expectedVersion"], final["expectedVersion"]) == (2, 3)


async def test_a_report_is_made_again_until_it_is_accepted():
    async def run(arguments, job):
        await job.report({})
        return {}

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    agent.jobs.simulate_error("update", JobsError("Timeout"), JobsError("Offline"))
    await settled(agent)
    *reports, outcome = [update[1] for update in agent.jobs.updates]
    assert outcome == "SUCCEEDED"
    assert reports and set(reports) == {"IN_PROGRESS"}, reports  # one, or some on a busy machine


async def test_a_report_that_is_refused_while_the_execution_goes_on_fails_the_job():
    async def run(arguments, job):
        await job.report({})
        raise AssertionError("it went on")

    for code in ("InvalidRequest", "InvalidJson", "New"):
        operate(run)
        agent = Agent(FakeJobs(execution({})))
        agent.jobs.simulate_error("update", JobsError(code, "no"))
        await settled(agent)
        status, details = agent.outcome()
        assert (status, details["code"]) == ("FAILED", "INTERNAL_ERROR"), code
        assert code in details["reason"]


async def test_a_refused_report_ends_the_job_without_another():
    async def run(arguments, job):
        await job.report({})
        raise AssertionError("it went on")

    operate(run)
    agent = Agent(FakeJobs(execution({})))
    agent.jobs.simulate_error("update", JobsError("InvalidStateTransition", "gone", ENDED))
    await settled(agent)
    assert agent.jobs.updates == [] and agent.journal.entry == {}


async def test_a_report_that_finds_no_memory_is_made_again():
    async def run(arguments, job):
        await job.report({"step": "here"})
        return {}

    operate(run)
    agent = Agent(FakeJobs(execution(ON)))
    agent.jobs.simulate_error("update", MemoryError(), MemoryError())
    await agent.work()
    assert agent.outcome()[0] == "SUCCEEDED"
