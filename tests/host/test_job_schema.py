"""docs/jobs/: the schema file is what the operations say, the documentation names all there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from host_tools import boards, paths
from host_tools.boards import BoardDefinition
from host_tools.errors import ToolError, UsageError
from host_tools.job_documents import check, explained, for_board, tables
from host_tools.job_documents.__main__ import main
from host_tools.job_documents.schema import FILE
from host_tools.jobs import check_document, check_id, new_id, read_document

README = (FILE.parent / "README.md").read_text("utf-8")
EXAMPLES = sorted((FILE.parent / "examples").glob("*.json"))


def test_the_schema_file_is_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    other = tmp_path / "schema.json"
    assert main(["--check"], other) == 1
    assert "python -m host_tools.job_documents" in capsys.readouterr().err
    assert main([], other) == 0 and main(["--check"], other) == 0


def test_it_is_a_schema_and_knows_the_examples() -> None:
    schema = json.loads(FILE.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in EXAMPLES:
        if path.stem != "download-file":  # has a placeholder of the service in it
            validator.validate(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("name", boards.names())
def test_there_is_one_for_each_board(name: str) -> None:
    board = boards.load(name)
    jsonschema.Draft202012Validator.check_schema(for_board(board))
    led = {"operation": "gpio", "pin": "led", "action": "on"}
    assert check(led, board) is None
    assert check({**led, "pin": "flash"}, board) is not None


def test_limits_of_the_board_file_are_obeyed() -> None:
    virtual = vars(boards.load("virtual"))
    board = BoardDefinition(**{**virtual, "limits": {"duration_s": 5}})
    assert check({"operation": "wait", "seconds": 5}, board) is None
    rejection = check({"operation": "wait", "seconds": 6}, board)
    assert rejection and "maximum of 5" in rejection.reason
    assert board.board_json()["limits"] == {"duration_s": 5}


def test_the_readme_has_every_operation_and_code() -> None:
    for name in tables.operations():
        assert f"| `{name}` |" in README, name
    sources = [path.read_text("utf-8") for path in paths.FIRMWARE.rglob("*.py")]
    used = set(re.findall(r'JobFailed\(\s*"([A-Z_]+)"', "\n".join(sources)))
    used |= set(re.findall(r'"code": "([A-Z_]+)"', "\n".join(sources)))
    used -= {"CANCELED"}  # of that nothing is reported
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert used <= listed, used - listed


@pytest.mark.parametrize("job_id", ["get", "start-next", "notify", "notify-next"])
def test_job_ids_that_are_topics_are_refused(job_id: str) -> None:
    with pytest.raises(UsageError, match="no device could reach"):
        check_id(job_id)


@pytest.mark.parametrize("job_id", ["", "a b", "ä", "x" * 65, "a/b"])
def test_what_cannot_be_a_job_id_is_refused(job_id: str) -> None:
    with pytest.raises(UsageError, match="cannot be a job's id"):
        check_id(job_id)


def test_a_new_id_is_one() -> None:
    documents: list[Any] = [{"operation": "gpio"}, {"steps": []}, [], {"operation": "ä/" * 99}]
    for document in documents:
        assert check_id(new_id(document))


def test_documents_are_read_from_commands_files_and_json(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"operation": "reboot"}')
    assert read_document(str(file)) == {"operation": "reboot"}
    assert read_document('{"Todo": "Reboot"}') == {"Todo": "Reboot"}
    blink = {"operation": "gpio", "pin": "led", "action": "blink", "count": 3}
    assert read_document("gpio,led,blink,3") == blink
    outside = {"operation": "delete-file", "path": "/main.py"}
    assert read_document("delete-file,/main.py") == outside, "its suffix makes it no file"
    assert read_document("download-file," + "x" * 5000)["url"] == "x" * 5000
    listed = tmp_path / "gpio,led.json"
    listed.write_text("[]")
    assert read_document(str(listed)) == []
    for text, message in (
        ("fly", "UNSUPPORTED"),
        ("{", "not JSON"),
        (str(tmp_path / "none.json"), "No such file"),
    ):
        with pytest.raises(ToolError, match=message):
            read_document(text)


def test_a_document_too_large_for_aws_is_refused() -> None:
    with pytest.raises(ToolError, match="at most 32768"):
        check_document({"operation": "reboot", "_x": "x" * 32768}, None)


def test_a_rejection_is_told_in_the_board_s_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    board = boards.load("virtual")
    no_pin = {"operation": "gpio", "pin": "flash", "action": "on"}
    assert str(explained(no_pin, board)) == (
        "UNKNOWN_PIN: gpio.pin: this board has lamp, led, pixel, relay"
    )
    assert explained(no_pin) is None, "some board may have it"
    too_long = {"operation": "wait", "seconds": 3601}
    words = "INVALID_ARGUMENT: wait.seconds must be a whole number from 1 to 3600"
    assert str(explained(too_long)) == str(explained(too_long, board)) == words
    signed = {"operation": "download-file", "url": "${aws:iot:s3-presigned-url:x}", "path": "/x"}
    assert "download-file.path" in str(explained(signed, board))
    with pytest.raises(ToolError, match="UNSUPPORTED: fly: no operation has this name"):
        read_document("fly")
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    assert "maximum of 3600" in str(explained(too_long, board)), "the host's own, if need be"
