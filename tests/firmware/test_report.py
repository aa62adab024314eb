import network
from sandbox import files

import flash
import hardware
from agent import Agent
from fakes import FakeJobs, execution, until

HASH_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


async def reported(files_too=True):
    agent = Agent(FakeJobs(execution({"operation": "report", "files": files_too})))
    agent.log.uptime_ms = lambda: 61_500
    network.WLAN(network.STA_IF).active(True)
    network.WLAN(network.STA_IF).connect("home", "secret")
    await until(network.WLAN(network.STA_IF).isconnected)
    await agent.work()
    assert agent.outcome()[0] == "SUCCEEDED"
    return agent.outcome()[1]


async def test_it_tells_how_the_board_is():
    details = await reported(False)
    assert "MicroPython 1." in details["version"] and details["version"].endswith("on fake")
    assert (details["uptime_s"], details["rssi"]) == ("61", "-55 dBm")
    assert "IDF " in details["heap"] and details["boot"] == "1, HARD_RESET"
    assert "files" not in details and len(details) < 10


async def test_files_are_compared_with_the_manifest():
    assert "manifest.json is missing" in (await reported())["files"]
    with open("/a", "w") as file:
        file.write("abc")
    files.write_json("/manifest.json", {"files": {"/a": HASH_OF_ABC}})
    assert (await reported())["files"] == "1 as deployed"
    files.write_json("/manifest.json", {"files": {"/a": "0" * 64, "/b": HASH_OF_ABC}})
    assert (await reported())["files"] == "changed: /a, /b"
    assert flash.root.operations and hardware.machine
