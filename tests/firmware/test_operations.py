import asyncio

from sandbox import files, reader

import flash
import lapse
from agent import Agent
from fakes import FakeJobs, entry, execution, until

LED = {"operation": "gpio", "pin": "led"}


async def done(document, saved=None, agent=None):
    """Run a job, resumed if `saved` is what it saved before a reset; return the agent."""
    if agent is None:
        agent = Agent(FakeJobs(execution(document, status="IN_PROGRESS" if saved else "QUEUED")))
    if saved:
        agent.journal.write(entry(version=1))
        agent.journal.advance(0, saved)
    await agent.work()
    return agent


async def cancelled(document, condition):
    """Run a job until the condition, cancel it, return the agent."""
    agent = Agent(FakeJobs(execution(document)))
    task = asyncio.create_task(agent.work())
    await until(lambda: condition(agent))
    agent.jobs.executions[0]["status"] = "CANCELED"
    agent.jobs.pending = {}
    agent.executor.wake()
    await task
    assert agent.jobs.updates == [], "a cancelled job is not reported"
    return agent


async def test_pulses_are_counted_and_end_off():
    agent = await done(dict(LED, action="blink", count=3, on_ms=20, off_ms=20))
    assert agent.board.switched[:6] == [("led", True), ("led", False)] * 3
    assert agent.outcome()[1]["pulses"] == "3" and not agent.board.is_on("led")


async def test_pulses_that_a_reset_cut_off_are_not_made_again():
    for action in ("pulse", "blink"):
        agent = await done(dict(LED, action=action), saved={"begun": True})
        status, details = agent.outcome()
        assert (status, details["code"]) == ("FAILED", "INTERRUPTED")
        assert agent.board.switched == [("led", False)], "only made safe"


async def test_pulses_that_are_cancelled_end_off():
    document = dict(LED, action="pulse", on_ms=10_000)
    agent = await cancelled(document, lambda agent: agent.board.is_on("led"))
    assert agent.board.switched == [("led", True), ("led", False)]


async def test_identify_leaves_the_led_as_it_was():
    agent = Agent(FakeJobs(execution({"operation": "identify", "seconds": 1})))
    agent.board.switch("led", True)
    await done(None, agent=agent)
    assert agent.board.is_on("led") and len(agent.board.switched) == 1 + 8 + 1


async def test_a_wait_goes_on_for_what_is_left():
    agent = await done({"operation": "wait", "seconds": 3600}, saved={"until": 5})
    assert agent.outcome()[1]["waited_s"] == "3600", "its end was long ago"
    assert int(agent.jobs.updates[-1][2]["statusDetails"]["duration_ms"]) < 60_000


async def test_a_long_step_renews_the_services_timer_before_it_begins():
    agent = Agent(FakeJobs(execution({"operation": "wait", "seconds": 3000})))
    task = asyncio.create_task(agent.work())
    await until(lambda: agent.jobs.updates)
    task.cancel()
    _, status, members = agent.jobs.updates[0]
    assert (status, members["stepTimeoutInMinutes"]) == ("IN_PROGRESS", 53)
    assert members["statusDetails"] == {"operation": "wait", "step": "1", "of": "1"}


async def test_progress_is_told_while_it_changes_and_at_a_bounded_rate():
    steps = [{"operation": "wait", "seconds": 17}, dict(LED, action="on")]
    agent = await done({"steps": steps})
    told = [members["statusDetails"] for _, status, members in agent.jobs.updates[:-1]]
    assert told and all(details["of"] == "2" for details in told)
    percents = [int(details["percent"]) for details in told]
    assert percents == sorted(set(percents)) and percents[-1] < 50


async def test_progress_that_finds_no_memory_is_told_later():
    agent = Agent(FakeJobs(execution({"operation": "wait", "seconds": 17})))
    agent.jobs.simulate_error("update", MemoryError(), MemoryError())
    await done(None, agent=agent)
    told = [members["statusDetails"] for _, _, members in agent.jobs.updates[:-1]]
    assert told and all("percent" in details for details in told), agent.jobs.updates


async def test_a_quick_job_tells_nothing_but_its_end():
    agent = await done({"steps": [dict(LED, action="toggle")] * 20})
    took_ms = int(agent.jobs.updates[-1][2]["statusDetails"]["duration_ms"])
    assert len(agent.jobs.updates) == 1 or took_ms >= 5000  # a busy machine, 20 times as fast


async def test_a_failure_that_is_ignored_is_told():
    bad = {"name": "x", "type": "runCommand", "input": {"command": "delete-file,/files/x"}}
    good = dict(bad, input={"command": "gpio,led,on"})
    steps = [{"action": dict(bad, ignoreStepFailure="true")}, {"action": good}]
    agent = await done({"version": "1.0", "steps": steps, "includeStdOut": True})
    status, details = agent.outcome()
    assert status == "SUCCEEDED"
    assert details["ignored"] == "steps[0]: NO_FILE there is no /files/x"
    assert details["stdout"].startswith("delete-file: NO_FILE")
    agent = await done(
        {"version": "1.0", "steps": [{"action": bad}], "finalStep": {"action": good}}
    )
    assert agent.outcome()[0] == "FAILED"
    assert agent.board.switched == [], "the final step is for success only"


async def test_a_file_is_deleted_once():
    files.write_json("/files/x", {})
    document = {"operation": "delete-file", "path": "/files/x"}
    assert (await done(document)).outcome()[0] == "SUCCEEDED"
    assert (await done(document)).outcome()[1]["code"] == "NO_FILE"
    agent = await done(document, saved={"begun": True})
    assert agent.outcome()[0] == "SUCCEEDED", "it was deleted before the reset"


async def test_a_setting_that_needs_no_restart_holds_at_once():
    agent = await done({"operation": "set-config", "executor": False, "log": "debug"})
    assert agent.outcome()[1]["changed"] == "executor, log"
    assert not agent.executor.enabled and agent.log.level == "debug"
    assert reader.read_json(files.SETTINGS) == {"executor": False, "log": "debug"}
    assert agent.board.resets == 0


async def test_a_setting_on_trial_is_kept_when_it_is_in_force_after_the_restart():
    document = {"operation": "set-config", "keepalive_s": 60}
    agent = Agent(FakeJobs(execution(document)))
    agent.board.simulate_power_cut(after="reset")
    await agent.work_until_power_is_cut()
    assert reader.read_json("/state/trial.json")["old"] == {}
    agent = agent.restarted()
    await agent.work()
    assert agent.outcome()[0] == "SUCCEEDED"


async def test_a_setting_that_was_put_back_fails_the_job():
    document = {"operation": "set-config", "keepalive_s": 60}
    files.write_json("/state/trial.json", {"failed": True})
    agent = await done(document, saved={"trying": True})
    assert agent.outcome()[1]["code"] == "ROLLED_BACK"
    files.write_json("/state/trial.json", {})
    agent = await done(dict(document, keepalive_s=99), saved={"trying": True})
    assert agent.outcome()[1]["code"] == "ROLLED_BACK", "the configuration says 60"


async def test_a_plain_http_url_elsewhere_is_refused_before_anything_is_sent():
    for url in (
        "http://example.com/x",
        "http://localhost@example.com/x",
        "http://localhost.example.com/x",
        "http://127.0.0.1/x",
    ):
        document = {"operation": "download-file", "url": url, "path": "/files/x"}
        assert (await done(document)).outcome()[1]["code"] == "INSECURE_URL", url


async def test_the_log_is_sent_newest_last_and_cut_at_its_oldest():
    agent = Agent(FakeJobs(execution({"operation": "collect-log"})))
    agent.log.lines = ["I %d.000 x: %s" % (i, "y" * 150) for i in range(20)]
    await done(None, agent=agent)
    details = agent.outcome()[1]
    assert details["log2"].rsplit(" | ", 1)[-1].startswith("I 19.000")
    assert len(details["log1"]) <= 1024 and "log3" not in details
    assert flash.root.operations and lapse.FACTOR
