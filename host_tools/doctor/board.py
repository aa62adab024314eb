"""The checks of the board, from what it says of itself.

What went wrong, and what to do about it, is told by the board's own table of causes.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator

from host_tools import firmware_modules, hold_ups
from host_tools.deploy import plan
from host_tools.doctor.check import Check, World
from host_tools.doctor.facts import Facts
from host_tools.target import Target

BOARD = World("board")
_OLDEST = (1, 24)  # docs: the first release with .mpy 6.3 for every chip
_ABI = 6  # what mpy-cross makes, py/persistentcode.h
_HEAP_LOW = 6 * 1024
_TLS_BLOCK = 45 * 1024  # TLS_NO_MEMORY in causes.txt
_CLOCK_WARN_S, _CLOCK_FAIL_S = 120.0, 3600.0
_WEAK_DBM = -75
_SHOWN = 3

_MICROPYTHON = re.compile(r"(\d+)\.(\d+)\S*, mpy (\d+), (\S*), (.*)")
_NUMBERS = re.compile(r"\d+")
_RSSI = re.compile(r"RSSI (-?\d+) dBm")
_RESET = re.compile(r"[A-Z]+_RESET")
_CLOCK = "%Y-%m-%d %H:%M:%S UTC"


def checks(target: Target, facts: Facts, now: datetime.datetime) -> Iterator[Check]:
    """Yield the checks; `now` is this computer's time, UTC."""
    yield _application(target, facts)
    for name, check in _OF_STATUS.items():
        text = facts.status.get(name)
        if text is not None:
            yield check(target, facts, text)
        elif facts.application is None:
            yield BOARD.skip(name, "only the running application knows it")
        else:
            yield BOARD.skip(
                name, "the application on the board is too old to tell", target.command("deploy")
            )
    yield _clock(facts, now)
    yield _files(target, facts)
    yield _trouble(facts)


def clock_of(facts: Facts) -> datetime.datetime | None:
    """Return the board's time, None if it did not tell."""
    try:
        return datetime.datetime.strptime(facts.status.get("clock", ""), _CLOCK).replace(
            tzinfo=datetime.UTC
        )
    except ValueError:
        return None


def trouble_code(facts: Facts) -> str:
    """Return the code of the last trouble, "" if there was none."""
    return facts.status.get("last trouble", "").split(" ")[0]


def _application(target: Target, facts: Facts) -> Check:
    if facts.application is not None:
        return BOARD.ok("application", f"Jobs Sandbox {facts.application} runs")
    what = f"the {target.label} is at the MicroPython REPL; no application runs"
    if "/main.py" in facts.files:
        return BOARD.fail("application", what, target.command("console --start"))
    return BOARD.fail("application", what, target.command("deploy"))


def _micropython(target: Target, facts: Facts, text: str) -> Check:
    found = _MICROPYTHON.fullmatch(text)
    if found is None:
        return BOARD.warn("micropython", f"{text!r} is no version of MicroPython")
    if int(found[3]) != _ABI:
        cause = f"{text}: it does not load .mpy files of version {_ABI}, which mpy-cross makes"
        return BOARD.fail("micropython", cause, _flash(target))
    if (int(found[1]), int(found[2])) < _OLDEST:
        return BOARD.fail("micropython", f"{text}: older than 1.24", _flash(target))
    return BOARD.ok("micropython", text)


def _flash(target: Target) -> str:
    # a virtual board runs the MicroPython that set-up has put here
    flash = "`make setup`" if target.board else target.command("flash")
    return f"{flash}, then {target.command('deploy')}"


def _heap(target: Target, facts: Facts, text: str) -> Check:
    free = int(_first_number(text))
    if free < _HEAP_LOW:
        return BOARD.warn("heap", text, "a reset gives a whole heap; smaller job documents")
    return BOARD.ok("heap", text)


def _system_heap(target: Target, facts: Facts, text: str) -> Check:
    numbers = _NUMBERS.findall(text)
    largest = int(numbers[-1]) if numbers else 0
    if largest < _TLS_BLOCK and not _is_online(facts):  # a connection that stands has its memory
        _, remedy = _explain("TLS_NO_MEMORY")
        return BOARD.warn("system heap", f"{text}: TLS needs about 45 KB in one piece", remedy)
    return BOARD.ok("system heap", text)


def _wifi(target: Target, facts: Facts, text: str) -> Check:
    strength = _RSSI.search(text)
    if text.startswith("not connected"):
        what, remedy = _explain(trouble_code(facts))
        if not trouble_code(facts).startswith("WIFI_"):
            what, remedy = _explain("WIFI_TIMEOUT")
        return BOARD.fail("wifi", f"{text}: {what}", remedy)
    if strength and int(strength[1]) < _WEAK_DBM:
        return BOARD.warn("wifi", f"{text}: weak", "the board, or its antenna, nearer to it")
    return BOARD.ok("wifi", text)


def _reset(target: Target, facts: Facts, text: str) -> Check:
    cause = _RESET.search(text)
    bitten = cause and cause[0] == "WDT_RESET"
    before = facts.status.get("before the reset")  # there is none if it was ordered
    if not bitten and not before:
        return BOARD.ok("last reset", text)
    what = "the watchdog bit" if bitten else "nobody ordered it"
    said = f"; the log before it: {before}" if before else ""
    return BOARD.warn("last reset", f"{text}: {what}{said}", "the bundle's log, in a bug report")


def _link(target: Target, facts: Facts, text: str) -> Check:
    if _is_online(facts):
        return BOARD.ok("link", text)
    what, remedy = _explain(trouble_code(facts))
    if what:
        return BOARD.fail("link", f"{text}; {trouble_code(facts)}: {what}", remedy)
    watch = f"again in a minute; {target.command('console')}, to watch it"
    return BOARD.fail("link", text, watch)


def _executor(target: Target, facts: Facts, text: str) -> Check:
    what, remedy = hold_ups.executor(target, facts.status)
    return BOARD.warn("executor", what, remedy) if what else BOARD.ok("executor", text)


# name of a line of the console's `status` → its check
_OF_STATUS: dict[str, Callable[[Target, Facts, str], Check]] = {
    "micropython": _micropython,
    "heap": _heap,
    "system heap": _system_heap,
    "uptime": _reset,
    "wifi": _wifi,
    "link": _link,
    "executor": _executor,
}


def _trouble(facts: Facts) -> Check:
    code = trouble_code(facts)
    if not code:
        return BOARD.ok("last trouble", "none since the last reset")
    what, remedy = _explain(code)
    text = f"{facts.status['last trouble']}: {what}" if what else facts.status["last trouble"]
    return BOARD.warn("last trouble", text, remedy)


def _clock(facts: Facts, now: datetime.datetime) -> Check:
    clock = clock_of(facts)
    if clock is None:
        return BOARD.skip("clock", "the board did not tell its time")
    behind = (now - clock).total_seconds()
    text = f"{facts.status['clock']}, {abs(behind):.0f} s {'behind' if behind > 0 else 'ahead'}"
    _, remedy = _explain("CLOCK_NOT_SET")
    if abs(behind) > _CLOCK_FAIL_S:
        return BOARD.fail("clock", f"{text}: certificates are judged by it", remedy)
    if abs(behind) > _CLOCK_WARN_S:
        return BOARD.warn("clock", text, remedy)
    return BOARD.ok("clock", text)


def _files(target: Target, facts: Facts) -> Check:
    listed = _listed(facts.manifest)
    if not listed:
        return BOARD.fail(
            "files", "there is no manifest: no deploy was completed", target.command("deploy")
        )
    wrong = [
        f"{name} is {'missing' if name not in facts.files else 'not as deployed'}"
        for name, digest in sorted(listed.items())
        if facts.files.get(name) != digest
    ]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        return BOARD.fail("files", ", ".join(wrong[:_SHOWN]) + more, target.command("deploy"))
    strays = [each for each in plan.strays(listed, facts.files) if each.startswith(plan.FOLDERS)]
    if strays:
        return BOARD.warn(
            "files", f"not from a deploy: {', '.join(strays[:_SHOWN])}", target.command("deploy")
        )
    return BOARD.ok("files", f"{len(listed)} files, all as deployed")


def _listed(manifest: str) -> dict[str, str]:
    try:
        files = json.loads(manifest)["files"]
    except (ValueError, KeyError, TypeError):
        return {}
    return dict(files) if isinstance(files, dict) else {}


def _is_online(facts: Facts) -> bool:
    return facts.status.get("link", "").startswith("online")


def _explain(code: str) -> tuple[str, str]:
    row = firmware_modules.load("texts").find("causes.txt", code)
    return (str(row[1]), str(row[2])) if row else ("", "")


def _first_number(text: str) -> str:
    found = _NUMBERS.search(text)
    return found[0] if found else "0"
