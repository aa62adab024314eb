import json

from sandbox import console

import flash
from app_around import FakeApp
from fakes import FakeConfig, FakeNetwork


def made():
    app = FakeApp()
    executor = app.executor
    executor.board, executor.link, executor.log = app.board, app.link, app.log
    executor.network, executor.config = FakeNetwork(), FakeConfig()

    async def shut_down():
        pass

    executor.shut_down = shut_down
    return app


async def done(line, app):
    lines = []
    status = await console.do(app, lines.append, line)
    return status, lines


async def test_a_command_is_run_without_the_cloud():
    app = made()
    status, lines = await done("run gpio,led,on", app)
    assert status == 0 and app.board.switched == [("led", True)]
    result = json.loads(lines[-1].split(": ", 1)[1])
    assert (result["pin"], result["state"], result["code"]) == ("led", "on", "OK")
    assert app.link.sent == [] and app.executor.enabled


async def test_a_document_is_run_as_it_is():
    app = made()
    steps = [{"operation": "gpio", "pin": "led", "action": action} for action in ("on", "off")]
    status, lines = await done("run " + json.dumps({"steps": steps}), app)
    assert status == 0 and app.board.switched == [("led", True), ("led", False)]
    assert '"steps": "2"' in lines[-1]


async def test_what_is_wrong_with_it_is_said():
    app = made()
    for text, code in (
        ("gpio,led,explode", "INVALID_ARGUMENT"),
        ("fly", "UNSUPPORTED"),
        ("{", "INVALID_DOCUMENT"),
        ('{"operation": "fly"}', "UNKNOWN_OPERATION"),
        ("delete-file,/files/none", "NO_FILE"),
    ):
        status, lines = await done("run " + text, app)
        assert status == 1 and lines[-1].startswith("run failed: ") and code in lines[-1], text
    assert app.board.switched == []


async def test_it_waits_for_no_job_and_none_waits_for_it():
    app = made()
    app.executor.journal.entry = {"jobId": "other"}
    status, lines = await done("run report", app)
    assert status == 1 and lines == ["run: the board works on other"]
    app.executor.journal.entry = {"jobId": "other", "phase": "final"}
    assert (await done("run report", app))[1] == ["run: the board has to report other"]
    assert (await done("run", app))[0] == 2


async def test_a_reboot_resets_the_board():
    app = made()
    await done("run reboot", app)
    assert app.board.resets == 1


async def test_the_operations_are_listed_with_their_arguments():
    status, lines = await done("operations", made())
    assert status == 0
    assert "wait seconds=int" in lines
    assert "reboot [kind=hard|soft] [delay_s=int]" in lines
    assert len(lines) >= 12 and lines == sorted(lines)
    assert flash.root.operations is not None
