import flash
from agent import Agent
from fakes import FakeJobs, execution

DONE = {"pin": "led", "state": "on", "operation": "gpio", "code": "OK"}


async def done(*actions):
    """Run a job for each action and return (what the pins did, the last outcome)."""
    jobs = [
        execution({"operation": "gpio", "pin": "led", "action": action}, "job-%d" % number)
        for number, action in enumerate(actions)
    ]
    agent = Agent(FakeJobs(*jobs))
    await agent.work()
    return agent.board.switched, agent.outcome()


async def test_a_pin_is_switched_on_and_off():
    switched, outcome = await done("on", "off")
    assert switched == [("led", True), ("led", False)]
    assert outcome == ("SUCCEEDED", dict(DONE, state="off"))


async def test_a_toggle_turns_the_state_over():
    switched, outcome = await done("toggle", "toggle", "toggle")
    assert switched == [("led", True), ("led", False), ("led", True)]
    assert outcome == ("SUCCEEDED", DONE)


async def test_another_action_or_pin_is_rejected_and_nothing_is_driven():
    for change in ({"action": "explode"}, {"pin": "GPIO6"}, {"pin": 2}, {"level": 1}):
        document = dict({"operation": "gpio", "pin": "led", "action": "on"}, **change)
        agent = Agent(FakeJobs(execution(document)))
        await agent.work()
        assert agent.outcome()[0] == "REJECTED", change
        assert agent.board.switched == []
    assert flash.root.operations
