from sandbox.errors import JobFailed
from sandbox.plan import parse

from documents import checked_steps
from fakes import FakeBoard, raises


def rejected(document):
    *said, status = raises(JobFailed, checked_steps, document, FakeBoard()).args
    assert status == "REJECTED"
    return tuple(said)


def planned(document):
    return [(name, arguments) for name, arguments, _ in checked_steps(document, FakeBoard())]


def test_a_single_operation_is_one_step():
    document = {"operation": "gpio", "pin": "led", "action": "on"}
    ((name, arguments),) = planned(document)
    assert name == "gpio"
    assert (arguments["pin"], arguments["action"]) == ("led", "on")


def test_steps_keep_their_order():
    steps = [{"operation": "gpio", "pin": "led", "action": "off"}, {"operation": "reboot"}]
    names = [name for name, _ in planned({"steps": steps})]
    assert names == ["gpio", "reboot"]


def test_the_samples_reboot_document_is_understood():
    assert planned({"Todo": "Reboot"}) == [("reboot", {"kind": "hard", "delay_s": 0})]


def test_the_samples_questionable_document_is_rejected():
    code, reason = rejected({"Todo": "Delete Root User"})
    assert (code, reason) == ("UNKNOWN_OPERATION", "Todo must be one of Reboot")


def test_documents_that_are_no_object_are_rejected():
    for document in (None, [], "reboot", 5, True):
        assert rejected(document) == ("INVALID_DOCUMENT", "the document must be a JSON object")


def test_a_document_without_a_known_form_is_rejected():
    code, reason = rejected({"other": 1})
    assert code == "INVALID_DOCUMENT"
    assert "neither operation nor steps nor Todo" in reason


def test_members_beside_todo_and_steps_are_rejected():
    step = {"operation": "reboot"}
    assert (
        rejected({"Todo": "Reboot", "x": 1})[1]
        == "beside Todo nothing is allowed but comments, text"
    )
    assert (
        rejected({"steps": [step], "x": 1})[1]
        == "beside steps nothing is allowed but comments, text"
    )


def test_a_todo_of_another_type_is_rejected():
    for todo in (None, 5, ["Reboot"], {}):
        assert rejected({"Todo": todo})[0] == "UNKNOWN_OPERATION"


def test_steps_that_are_no_list_of_1_to_20_are_rejected():
    step = {"operation": "reboot"}
    for steps in (None, {}, "reboot", [], [step] * 21):
        assert rejected({"steps": steps}) == (
            "INVALID_DOCUMENT",
            "steps must be a list of 1 to 20",
        )
    assert len(planned({"steps": [step] * 20})) == 20


def test_where_steps_are_is_not_for_the_service_to_say():
    for where in (["/config.json", [0]], "/config.json", 1):
        execution = {"jobDocument": {"steps": None}, "steps": where}
        assert raises(JobFailed, parse, execution, FakeBoard()).args[0] == "INVALID_DOCUMENT"


def test_the_step_that_is_wrong_is_named():
    good = {"operation": "reboot"}
    for bad in (None, "reboot", {}, {"operation": 5}):
        reason = rejected({"steps": [good, bad]})[1]
        assert reason == "steps[1] must be an object with a string operation", reason


def test_an_operation_that_the_board_lacks_is_rejected_by_name():
    code, reason = rejected({"operation": "install-packages"})
    assert code == "UNKNOWN_OPERATION"
    assert reason == "this board has no operation install-packages"


def test_a_name_cannot_reach_other_modules():
    for name in ("", "GPIO", "__init__", "../app", "gpio.run", "a/b", "é", "-", "g" * 300):
        code, reason = rejected({"operation": name})
        assert code == "UNKNOWN_OPERATION", name
        assert len(reason) <= 200, "a reason is at most 200 characters"


def test_a_bad_step_rejects_the_whole_document():
    steps = [
        {"operation": "gpio", "pin": "led", "action": "on"},
        {"operation": "gpio", "pin": "led", "action": "explode"},
    ]
    assert rejected({"steps": steps})[0] == "INVALID_ARGUMENT"


# Conditions


def under(*conditions, handler="gpio.sh", args=("led", "on")):
    """Return a document of the Device Client with these conditions."""
    action = {"name": "x", "type": "runHandler", "input": {"handler": handler, "args": list(args)}}
    return {"version": "1.0", "conditions": list(conditions), "steps": [{"action": action}]}


def condition(key, *values, kind="stringEqual"):
    return {"key": key, "value": list(values), "type": kind}


def test_conditions_that_hold_let_the_steps_run():
    for each in (
        condition("operatingSystem", "ubuntu", "micropython"),
        {"key": "operatingSystem", "value": ["micropython"]},
        condition("operatingSystem", "ubuntu", kind="stringNotEqual"),
        condition("board", FakeBoard().name),
        condition("deviceType", "core_device", kind="stringNotEqual"),
    ):
        assert [name for name, _ in planned(under(each))] == ["gpio"], each


def test_a_condition_that_does_not_hold_rejects_whatever_the_steps_are():
    good = condition("operatingSystem", "micropython")
    for each, reason in (
        (condition("operatingSystem", "ubuntu"), "operatingSystem is micropython"),
        (condition("board", FakeBoard().name, kind="stringNotEqual"), "board is "),
        (condition("deviceType", "core_device"), "deviceType is unknown here"),
    ):
        for handler in ("gpio.sh", "install_and_reboot.sh"):
            code, text = rejected(under(good, each, handler=handler))
            assert code == "CONDITION_NOT_MET", (each, code, text)
            assert text.startswith("conditions[1]: " + reason), text


def test_a_condition_of_another_form_is_named():
    for each, member in (
        ({"value": ["x"]}, "conditions[0].key"),
        (condition("board", 5), "conditions[0].value"),
        (condition("board", "x", kind="like"), "conditions[0].type"),
        ("board", "conditions[0]"),
    ):
        code, text = rejected(under(each))
        assert code == "INVALID_DOCUMENT" and text.startswith(member), (each, text)
