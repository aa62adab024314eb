"""The steps of a long message, taken apart in flash."""

import asyncio
import json
import os
import random

from sandbox import split
from sandbox.files import STATE, make_folder
from sandbox.jobs import Jobs
from sandbox.records import Records
from sandbox.turning import turn

import flash  # noqa: F401  the board's file system
from fakes import FakeLink, FakeLog, raises

MESSAGE = STATE + "/message.json"


def write(text):
    make_folder(STATE)
    with open(MESSAGE, "w") as file:
        file.write(text)


def load(text, kept=True):
    """Return what is left of the message, and the steps that were taken out of it."""
    write(text)
    with open(MESSAGE, "rb") as file:
        left = split.load(file, kept)
    where = (left.get("execution") or {}).pop("steps", None)
    return left, None if where is None else list(iter(Records(*where)))


def message(document, **more):
    return dict({"clientToken": "t", "execution": {"jobId": "a", "jobDocument": document}}, **more)


def without(whole):
    left = json.loads(json.dumps(whole))
    left["execution"]["jobDocument"]["steps"] = None
    return left


def check(whole, text=None):
    left, steps = load(text or json.dumps(whole))
    assert steps == whole["execution"]["jobDocument"]["steps"], steps
    assert left == without(whole), left


def test_steps_of_any_kind_are_taken_out():
    for steps in (
        [],
        [1],
        [{"operation": "gpio"}, {"operation": "wait", "seconds": 5}],
        [[], {}, [[]], [{}, [1, [2]]], None, True, "", "a"],
        ['", ] } [ { : \\', {'"': "\\\\", "steps": ["[", "]"], "a,b": "\n\t\u00e9\u20ac"}],
        [{"x": "x" * 1000}, {"y": ["z" * 300] * 5}] * 3,
    ):
        check(message({"steps": steps, "version": "1.0", "finalStep": {"steps": [1]}}))


def test_what_else_has_such_names_stays_where_it_is():
    other = {"steps": [1], "execution": {"jobDocument": {"steps": [2]}}}
    for whole in (
        {"steps": [1], "jobDocument": other, "execution": {"steps": 3, "jobDocument": [other]}},
        {"execution": {"jobId": "a", "jobDocument": {"operation": "gpio", "_x": other}}},
        {"execution": {"jobId": "a", "jobDocument": {"steps": {"execution": [1]}}}},
        {"execution": {"jobId": "a", "jobDocument": {"steps": "[1, 2]"}}},
        {"execution": None, "jobs": [["execution", "jobDocument", "steps", [1]]]},
        {"execution": [{"jobDocument": {"steps": [1]}}]},
        {},
    ):
        text = json.dumps(whole)
        write(text)
        with open(MESSAGE, "rb") as file:
            assert split.load(file, True) == whole, text


def test_white_space_between_is_left_out_and_that_in_texts_is_not():
    text = '{"execution" :\r\n { "jobDocument":\t{"steps"\n:\n[\n 1 ,\n { "a b" :" c\\n" }\n]} } }'
    left, steps = load(text)
    assert steps == [1, {"a b": " c\n"}]
    assert left == {"execution": {"jobDocument": {"steps": None}}}


def test_of_two_members_of_that_name_the_last_one_counts():
    left, steps = load('{"execution": {"jobDocument": {"steps": [1, 2, 3], "steps": [4]}}}')
    assert steps == [4]


def test_pieces_may_end_anywhere():
    whole = message({"steps": [{"a": ['x"y\\', 1]}, {"b": {}}, "c"], "_why": ""})
    for more in range(300):
        whole["execution"]["jobDocument"] = {"_why": "y" * more, "steps": [{"a": 'x"\\'}, "c"]}
        check(whole)


def test_random_documents():
    dice = random.randrange
    letters = 'a"\\[]{}:,\n \u20ac'

    def anything(depth):
        kind = dice(7 if depth else 4)
        if kind == 0:
            return dice(1000)
        if kind < 3:
            return "".join(letters[dice(len(letters))] for _ in range(dice(9)))
        if kind == 3:
            return (None, True, False)[dice(3)]
        many = [anything(depth - 1) for _ in range(dice(4))]
        return many if kind < 6 else {str(anything(0)): each for each in many}

    random.seed(1)
    for _ in range(300):
        steps = [anything(3) for _ in range(dice(5))]
        check(message({"steps": steps, "x": anything(2)}, other=anything(2)))


def test_what_is_not_json_is_told():
    for text in ("", "{", "nonsense", '{"execution": {"jobDocument": {"steps": [1, 2'):
        write(text)
        with open(MESSAGE, "rb") as file:
            raises(ValueError, split.load, file, True)
    _, steps = load('{"execution": {"jobDocument": {"steps": [1]}}}')
    assert steps == [1], "it works after that"


def test_a_step_that_is_not_json_is_told_when_it_is_read():
    write('{"execution": {"jobDocument": {"steps": [1, nonsense, 2]}}}')
    with open(MESSAGE, "rb") as file:
        records = Records(*split.load(file, True)["execution"]["steps"])
    assert (len(records), records[0], records[2]) == (3, 1, 2)
    raises(ValueError, records.__getitem__, 1)


def test_of_an_event_nothing_is_kept():
    _, steps = load(json.dumps(message({"steps": [1, 2]})))
    assert steps == [1, 2]
    before = os.stat(STATE + "/received.json")
    left, steps = load(json.dumps(message({"steps": [3] * 50})), kept="")
    assert steps is None and left["execution"]["jobDocument"] == {"steps": None}
    assert os.stat(STATE + "/received.json") == before


def test_records_are_turned_into_others_and_are_gone():
    _, _ = load(json.dumps(message({"steps": [1, "b", {"c": [2]}]})))
    first = Records(STATE + "/received.json", [0, 2, 6])
    assert list(iter(first)) == [1, "b", {"c": [2]}]
    second = turn(first, ([each, {"x": n}] for n, each in enumerate(iter(first))))
    third = turn(second, ((name, given, 0) for name, given in iter(second)))
    assert list(iter(third)) == [[1, {"x": 0}, 0], ["b", {"x": 1}, 0], [{"c": [2]}, {"x": 2}, 0]]
    assert third[1] == ["b", {"x": 1}, 0]
    raises(IndexError, third.__getitem__, 3)
    assert "received.json" not in os.listdir(STATE) and "parsed.json" not in os.listdir(STATE)


def test_a_full_flash_is_told_and_the_records_are_still_there():
    def full():
        yield 1
        raise OSError(28)

    load(json.dumps(message({"steps": [1]})))
    first = Records(STATE + "/received.json", [0])
    raises(OSError, turn, first, full())
    assert first[0] == 1


# The Jobs client


async def answered(jobs, link, request, tail, steps):
    """Return what a request gets when its answer, with these steps, comes through flash."""
    task = asyncio.create_task(request)
    while not link.sent:
        await asyncio.sleep_ms(1)
    token = link.sent.pop()[1]["clientToken"]
    write(json.dumps(message({"steps": steps}, clientToken=token)))
    with open(MESSAGE, "rb") as file:
        link.on_message(tail, file)
    return (await task)["execution"]


async def test_of_a_long_answer_the_steps_are_in_flash_until_a_person_wants_to_see_them():
    link = FakeLink()
    jobs = Jobs(link, FakeLog())
    jobs.on_change = lambda certain: None
    jobs.on_event = lambda: None
    for tail in ("start-next/accepted", "a/get/accepted"):
        request = jobs.start_next() if "start" in tail else jobs.describe("a")
        execution = await answered(jobs, link, request, tail, [1, 2])
        assert execution["jobDocument"] == {"steps": None}
        assert list(iter(Records(*execution["steps"]))) == [1, 2]
    write(json.dumps(message({"steps": [3]})))
    with open(MESSAGE, "rb") as file:
        link.on_message("notify-next", file)
    name, text = jobs.events.pop(0)
    assert name == "NextJobExecutionChanged" and "jobDocument" not in text
    assert list(iter(Records(*execution["steps"]))) == [1, 2], "an event does them no harm"
    jobs.whole = True
    execution = await answered(jobs, link, jobs.describe("a"), "a/get/accepted", [4])
    assert execution["jobDocument"] == {"steps": [4]} and "steps" not in execution
