import asyncio

from sandbox.errors import JobsError
from sandbox.jobs import FULL, TOO_LARGE

import flash
import lapse
from agent import Agent
from fakes import FakeJobs, entry, execution, raises_async, until

ON = {"operation": "gpio", "pin": "led", "action": "on"}
OFF = {"operation": "gpio", "pin": "led", "action": "off"}


async def test_pending_jobs_run_one_after_another():
    agent = Agent(FakeJobs(execution(ON, "a"), execution(OFF, "b")))
    await agent.work()
    assert agent.board.switched == [("led", True), ("led", False)]
    assert [update[:2] for update in agent.jobs.updates] == [
        ("a", "SUCCEEDED"),
        ("b", "SUCCEEDED"),
    ]


async def test_nothing_is_started_while_it_is_off():
    agent = Agent(FakeJobs(execution(ON)), enabled=False)
    await agent.work()
    assert agent.jobs.requests == []
    assert agent.board.switched == []


async def test_switching_it_on_starts_what_waits():
    agent = Agent(FakeJobs(execution(ON)), enabled=False)
    task = await agent.work_in_background(lambda: True)
    await asyncio.sleep_ms(200)
    assert agent.board.switched == []
    agent.executor.enable(True)
    await until(lambda: agent.board.switched == [("led", True)])
    task.cancel()


async def test_what_is_in_the_journal_is_finished_even_while_it_is_off():
    agent = Agent(FakeJobs(execution(ON)), enabled=False)
    agent.journal.write(entry(phase="final", status="SUCCEEDED", details={}))
    await agent.work()
    assert agent.outcome()[0] == "SUCCEEDED"
    assert agent.journal.entry == {}


async def test_a_wake_looks_for_work_again():
    jobs = FakeJobs()
    agent = Agent(jobs)
    task = await agent.work_in_background(lambda: jobs.requests)
    await asyncio.sleep_ms(200)
    jobs.executions.append(execution(ON))
    agent.executor.wake()
    await until(lambda: agent.jobs.updates)
    assert agent.outcome()[0] == "SUCCEEDED"
    task.cancel()


async def test_behind_the_last_job_of_a_set_that_is_told_there_is_nothing_to_ask_for():
    jobs = FakeJobs(execution(ON))
    await Agent(jobs).work()
    assert jobs.requests == ["start_next", "update"]


async def test_what_announces_a_job_that_is_being_started_is_no_reason_to_ask_again():
    class Announcing(FakeJobs):
        async def start_next(self, **members):
            self.pending.update({"job": "QUEUED"})
            agent.executor.wake(True)
            return await super().start_next(**members)

    agent = Agent(Announcing(execution(ON)))
    task = await agent.work_in_background(lambda: agent.jobs.updates)
    await asyncio.sleep_ms(10)
    task.cancel()
    assert agent.jobs.requests == ["start_next", "update"]


class FarJobs(FakeJobs):
    """A service whose answer to a report takes its time; `late`: the report does, too."""

    late = False

    async def update(self, job_id, status, **members):
        self.requests.append("report")
        if self.late:
            await asyncio.sleep_ms(20)
        answer = await super().update(job_id, status, **members)
        await asyncio.sleep_ms(20)
        return answer


async def test_the_next_job_is_asked_for_behind_the_report_of_the_last():
    jobs = FarJobs(execution(ON, "a"), execution(OFF, "b"))
    agent = Agent(jobs)
    await agent.work()
    # the second start_next does not wait for the answer
    assert jobs.requests == ["start_next", "report", "update", "start_next", "report", "update"]
    assert agent.board.switched == [("led", True), ("led", False)]


async def test_the_same_job_again_because_the_report_came_late_is_not_run_again():
    jobs = FarJobs(execution(ON, "a"), execution(OFF, "b"))
    jobs.late = True
    agent = Agent(jobs)
    await agent.work()
    assert jobs.requests[:4] == ["start_next", "report", "start_next", "update"]
    assert agent.board.switched == [("led", True), ("led", False)]
    assert [update[:2] for update in jobs.updates] == [("a", "SUCCEEDED"), ("b", "SUCCEEDED")]


async def test_a_job_asked_for_behind_a_report_that_is_lost_waits_for_the_report():
    jobs = FarJobs(execution(ON, "a"), execution(OFF, "b"))
    jobs.simulate_error("update", JobsError("Timeout"))
    agent = Agent(jobs)
    await raises_async(JobsError, agent.work())
    assert agent.board.switched == [("led", True)] and agent.journal.entry["phase"] == "final"
    await agent.work()
    assert agent.board.switched == [("led", True), ("led", False)]
    assert [update[:2] for update in jobs.updates] == [("a", "SUCCEEDED"), ("b", "SUCCEEDED")]


async def test_a_job_asked_for_ahead_and_cancelled_meanwhile_is_not_run():
    class Cancelling(FarJobs):
        async def update(self, *arguments, **members):
            answer = await super().update(*arguments, **members)
            if len(self.updates) == 1:
                assert self.executions[1]["status"] == "IN_PROGRESS", "it was asked for"
                self.executions[1]["status"] = "CANCELED"
                self.pending.pop("b")
            return answer

    jobs = Cancelling(execution(ON, "a"), execution(OFF, "b"), execution(ON, "c"))
    agent = Agent(jobs)
    await agent.work()
    assert [update[0] for update in jobs.updates] == ["a", "c"]
    assert agent.board.switched == [("led", True), ("led", True)]


async def test_a_job_that_has_been_started_is_run_though_it_is_switched_off_meanwhile():
    class Off(FarJobs):
        async def update(self, *arguments, **members):
            agent.executor.enabled = False
            return await super().update(*arguments, **members)

    agent = Agent(Off(execution(ON, "a"), execution(OFF, "b"), execution(ON, "c")))
    await agent.work()
    assert [update[:2] for update in agent.jobs.updates] == [
        ("a", "SUCCEEDED"),
        ("b", "SUCCEEDED"),
    ]
    assert agent.jobs.executions[2]["status"] == "QUEUED"


async def test_behind_a_job_of_whose_end_nothing_is_told_the_next_one_is_asked_for():
    jobs = FakeJobs(execution(ON))
    jobs.complete = False
    await Agent(jobs).work()
    assert jobs.requests == ["start_next", "update", "start_next"]
    assert lapse.FACTOR > 1


async def test_a_set_that_is_empty_for_certain_is_not_asked_for():
    agent = Agent(FakeJobs())
    task = await agent.work_in_background(lambda: agent.jobs.requests)
    await asyncio.sleep_ms(20)
    asked = len(agent.jobs.requests)
    agent.executor.wake(True)
    await asyncio.sleep_ms(20)
    assert len(agent.jobs.requests) == asked
    agent.executor.wake(False)
    await until(lambda: len(agent.jobs.requests) > asked)
    task.cancel()


async def test_it_waits_for_the_link():
    agent = Agent(FakeJobs(execution(ON)))
    agent.link.online.clear()
    task = await agent.work_in_background(lambda: True)
    await asyncio.sleep_ms(200)
    assert agent.jobs.requests == []
    agent.link.online.set()
    await until(lambda: agent.jobs.updates)
    assert agent.outcome()[0] == "SUCCEEDED"
    task.cancel()


async def test_a_service_that_throttles_is_asked_again():
    jobs = FakeJobs(execution(ON))
    jobs.simulate_error("start_next", JobsError("RequestThrottled"), JobsError("InternalError"))
    agent = Agent(jobs)
    task = await agent.work_in_background(lambda: jobs.updates)
    assert agent.log.says("RequestThrottled") and agent.log.says("again in 2 s")
    assert agent.log.says("again in 4 s")
    task.cancel()


async def test_a_link_that_broke_is_waited_for_and_not_slept_over():
    jobs = FakeJobs(execution(ON))
    jobs.simulate_error("start_next", *[JobsError("Offline")] * 9)
    agent = Agent(jobs)
    task = await agent.work_in_background(lambda: jobs.updates)
    assert not agent.log.says("again in"), "nine pauses of 2 s to 60 s would be minutes"
    assert agent.outcome()[0] == "SUCCEEDED"
    task.cancel()


async def test_a_document_too_large_to_hold_is_rejected_and_the_next_job_runs():
    jobs = FakeJobs(execution("x" * 100, "huge"), execution(ON, "next"))
    jobs.simulate_error("start_next", *[JobsError(TOO_LARGE)] * 4)
    agent = Agent(jobs)
    await agent.work()
    job_id, status, members = jobs.updates[0]
    assert (job_id, status) == ("huge", "REJECTED")
    assert members["statusDetails"]["code"] == "DOCUMENT_TOO_LARGE"
    assert jobs.updates[1][:2] == ("next", "SUCCEEDED")


async def test_a_document_that_the_flash_has_no_room_for_fails_and_is_told_why():
    jobs = FakeJobs(execution(ON))
    jobs.simulate_error("start_next", JobsError(FULL, "no room"))
    await Agent(jobs).work()
    ((_, status, members),) = jobs.updates
    assert status == "FAILED"
    assert members["statusDetails"] == {"code": "FLASH_FULL", "reason": "no room"}


async def test_a_document_that_finds_room_later_is_run():
    jobs = FakeJobs(execution(ON))
    jobs.simulate_error("start_next", *[JobsError(TOO_LARGE)] * 3)
    agent = Agent(jobs)
    await agent.work()
    assert [update[1] for update in jobs.updates] == ["SUCCEEDED"]


async def test_a_job_announced_but_not_yet_startable_is_asked_for_again():
    jobs = FakeJobs()
    jobs.pending = {"late": "QUEUED"}
    agent = Agent(jobs)
    await agent.work()
    assert jobs.requests == ["start_next"] * 4, "three more times, then no longer"


async def test_a_job_announced_long_before_it_can_be_started_is_not_forgotten():
    jobs = FakeJobs()
    jobs.pending = {"late": "QUEUED"}
    agent = Agent(jobs)
    task = await agent.work_in_background(lambda: len(jobs.requests) == 4)
    jobs.executions.append(execution(ON, "late"))
    await until(lambda: jobs.updates, "a look after a minute")
    assert jobs.updates[0][:2] == ("late", "SUCCEEDED")
    assert lapse.FACTOR > 1
    task.cancel()


async def test_an_error_of_the_service_is_not_swallowed_by_a_round():
    jobs = FakeJobs(execution(ON))
    jobs.simulate_error("start_next", JobsError("Offline"))
    error = await raises_async(JobsError, Agent(jobs).executor._work())
    assert error.code == "Offline"
    assert flash.root.operations and lapse.FACTOR
