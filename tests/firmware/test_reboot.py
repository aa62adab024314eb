import flash
from agent import Agent
from fakes import FakeBoard, FakeJobs, entry, execution

REBOOT = {"operation": "reboot"}


async def begun(document=REBOOT):
    """Run the job up to the reset."""
    agent = Agent(FakeJobs(execution(document)))
    agent.board.simulate_power_cut(after="reset")
    await agent.work_until_power_is_cut()
    return agent


async def test_it_reports_then_saves_then_says_goodbye_then_resets():
    agent = await begun()
    _, status, members = agent.jobs.updates[-1]
    assert status == "IN_PROGRESS"
    assert members["statusDetails"] == {"step": "rebooting", "boot": "1"}
    assert agent.journal.entry["saved"] == {"boot": 1, "tries": 1}
    assert (agent.shut_downs, agent.board.resets) == (1, 1)


async def test_success_is_reported_after_the_boot():
    agent = (await begun()).restarted()
    await agent.work()
    status, details = agent.outcome()
    assert (status, details["code"]) == ("SUCCEEDED", "OK")
    assert (details["boot"], details["resetCause"]) == ("2", "HARD_RESET")
    assert agent.board.resets == 0, "one reboot is enough"


async def test_the_samples_document_reboots():
    agent = (await begun({"Todo": "Reboot"})).restarted()
    await agent.work()
    assert agent.outcome()[0] == "SUCCEEDED"


async def test_a_soft_reset_is_no_reboot():
    agent = (await begun()).restarted("SOFT_RESET")
    agent.board.simulate_power_cut(after="reset")
    await agent.work_until_power_is_cut()
    assert agent.board.resets == 1, "it is tried again"


async def test_a_board_that_does_not_reset_fails_the_job():
    agent = Agent(FakeJobs(execution(REBOOT)))
    await agent.work()  # reset() returns
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "REBOOT_FAILED")


async def test_it_is_tried_three_times_at_most():
    agent = Agent(FakeJobs(execution(REBOOT, status="IN_PROGRESS")), FakeBoard(boots=5))
    agent.journal.write(entry(version=1))
    agent.journal.advance(0, {"boot": 5, "tries": 3})
    await agent.work()
    status, details = agent.outcome()
    assert (status, details["code"]) == ("FAILED", "REBOOT_FAILED")
    assert "3 tries" in details["reason"] and agent.board.resets == 0


async def test_a_reboot_between_steps_goes_on_with_the_next_one():
    on = {"operation": "gpio", "pin": "led", "action": "on"}
    agent = (await begun({"steps": [on, REBOOT, dict(on, action="off")]})).restarted()
    await agent.work()
    assert agent.board.switched == [("led", True), ("led", False)]
    assert agent.outcome()[0] == "SUCCEEDED"
    assert flash.root.operations
