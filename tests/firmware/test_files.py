import os

from sandbox import files, reader
from sandbox.errors import ConfigError

import flash
from fakes import raises

PATH = "/state/x.json"
OLD = {"n": 1, "text": "old" * 50}
NEW = {"n": 2, "text": "new" * 50}


def test_what_is_written_is_read_again():
    files.write_json(PATH, OLD)
    files.write_json(PATH, NEW)
    assert reader.read_json(PATH) == NEW
    assert os.listdir("/state") == ["x.json"]


def test_a_power_cut_at_any_flash_operation_leaves_old_or_new():
    survived = []
    for at in range(20):
        files.write_json(PATH, OLD)
        flash.root.simulate_power_cut(at, files.write_json, PATH, NEW)
        survived.append(reader.read_json(PATH))
        assert survived[-1] in (OLD, NEW), at
    assert survived[:2] == [OLD, OLD], "nothing was cut"
    assert survived[-1] == NEW, "not every operation was tried"


def test_a_full_flash_is_an_oserror_and_the_old_file_stays():
    files.write_json(PATH, OLD)
    flash.root.simulate_full()
    raises(OSError, files.write_json, PATH, NEW)
    flash.root.simulate_full(False)
    flash.root.mount()
    assert reader.read_json(PATH) == OLD


def test_a_missing_file_is_named():
    error = raises(ConfigError, reader.read_json, PATH)
    assert str(error) == PATH + " is missing: deploy the firmware"


def test_what_is_not_a_json_object_is_named():
    for content, said in (
        (b"", "not JSON"),
        (b'{"n":', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
    ):
        with open("/x.json", "wb") as file:
            file.write(content)
        assert str(raises(ConfigError, reader.read_json, "/x.json")) == "/x.json is " + said, (
            content
        )
