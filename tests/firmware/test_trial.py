import asyncio

from sandbox import files, reader, trial

import flash
import lapse
from fakes import FakeBoard, FakeLink, FakeLog

TRIAL = "/state/trial.json"


class App:
    def __init__(self, boots=2):
        self.board = FakeBoard(boots)
        self.link = FakeLink()
        self.log = FakeLog()

        async def disconnect():
            pass

        self.link.disconnect = disconnect


def begin(deadline_s=2):
    files.write_json(files.SETTINGS, {"keepalive_s": 99})
    files.write_json(TRIAL, {"old": {"log": "debug"}, "boots": 1, "deadline_s": deadline_s})


async def test_nothing_happens_without_a_trial():
    app = App()
    await trial.watch(app)
    assert app.board.resets == 0


async def test_settings_with_which_the_board_comes_online_are_kept():
    begin()
    app = App()
    await trial.watch(app)
    assert reader.read_json(files.SETTINGS) == {"keepalive_s": 99}
    assert app.board.resets == 0
    await trial.watch(app)  # the trial is over


async def test_settings_with_which_it_does_not_are_put_back():
    begin()
    app = App()
    app.link.online.clear()
    await trial.watch(app)
    assert reader.read_json(files.SETTINGS) == {"log": "debug"}
    assert reader.read_json(TRIAL) == {"failed": True}
    assert app.board.resets == 1 and app.log.says("put back")
    await trial.watch(app)
    assert app.board.resets == 1, "once"


async def test_a_board_that_resets_again_and_again_gets_them_back_at_once():
    begin(deadline_s=3600)
    app = App(boots=6)
    app.link.online.clear()
    await asyncio.wait_for(trial.watch(app), 20)
    assert reader.read_json(files.SETTINGS) == {"log": "debug"}
    assert flash.root.operations and lapse.FACTOR
