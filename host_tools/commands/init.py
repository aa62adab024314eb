"""Write sandbox.toml: the board, the thing, the Wi-Fi and the cloud that all commands then use.

On a terminal it asks for what no option answers; elsewhere it asks nothing. What is in the file
already stays, unless it is answered anew; an empty value, --thing '' for instance, takes it out.
The Wi-Fi password is not echoed; a script gives it in JOBS_SANDBOX_WIFI_PASSWORD or a file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from host_tools import defaults, deployed
from host_tools.errors import ToolError, UsageError
from host_tools.output import if_interrupted, result, result_json, say

_PASSWORD_VARIABLE = "JOBS_SANDBOX_WIFI_PASSWORD"  # noqa: S105 (the name of a variable)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an option per answer."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--board", metavar="NAME", help="a virtual board")
    which.add_argument(
        "--port", metavar="TTY", help="a real board's serial device, or auto: the only one"
    )
    parser.add_argument("--definition", metavar="NAME", help="a name from `jobs-sandbox boards`")
    parser.add_argument("--thing", metavar="NAME", help="the thing the board becomes")
    parser.add_argument("--wifi-ssid", metavar="NAME", help="the Wi-Fi network of a real board")
    parser.add_argument(
        "--wifi-password-file", metavar="FILE", help="holds its password; - is standard input"
    )
    cloud = parser.add_mutually_exclusive_group()
    cloud.add_argument("--cloud", choices=("", *defaults.CLOUDS), help="local or aws")
    cloud.add_argument("--endpoint-url", metavar="URL", help="a MiniStack that runs elsewhere")
    parser.add_argument("--region", help="AWS region, with --cloud aws")
    parser.add_argument("--profile", help="profile of your AWS configuration, with --cloud aws")
    parser.add_argument("--no-input", action="store_true", help="ask nothing, also on a terminal")
    parser.add_argument(
        "--json", action="store_true", help="print the settings as JSON, without the password"
    )


def run(args: argparse.Namespace) -> int:
    """Ask, check, write."""
    from host_tools import sandbox_file

    before = defaults.load()
    answers = _given(args)
    if not args.no_input and sys.stdin.isatty() and sys.stderr.isatty():
        with if_interrupted("nothing was written"):
            _ask_all(answers, before)
    changes = _consistent(answers, before)
    _check(changes)
    sandbox_file.write(changes)
    known = defaults.load()
    if args.json:
        result_json({key: value for key, value in known.items() if key != "wifi_password"})
        return 0
    result(f"{defaults.path()} is written")
    for key, value in known.items():
        say(f"  {key} = {'(not shown)' if key == 'wifi_password' else value}")
    say("next: `jobs-sandbox` shows where things stand")
    return 0


def _given(args: argparse.Namespace) -> dict[str, str]:
    named = [key for key in defaults.KEYS if key != "wifi_password"]
    answers = {key: getattr(args, key) for key in named if getattr(args, key) is not None}
    if args.wifi_password_file is not None:
        answers["wifi_password"] = _password_from(args.wifi_password_file)
    elif _PASSWORD_VARIABLE in os.environ and answers.get("wifi_ssid"):
        answers["wifi_password"] = os.environ[_PASSWORD_VARIABLE]
    return answers


def _password_from(name: str) -> str:
    if name == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if not name:
        return ""
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name}: {error}", "--wifi-password-file FILE") from error


def _ask_all(answers: dict[str, str], before: dict[str, str]) -> None:
    known = {**before, **answers}
    if not answers.keys() & {"board", "port"}:
        _list_ports()
        now = known.get("port") or known.get("board") or "sandbox"
        board = _ask("Board: a virtual one's name, or a serial port, or auto", now)
        answers["port" if _is_port(board) else "board"] = board
    if "thing" not in answers:
        virtual = None if answers.get("port") else answers.get("board") or known.get("board")
        proposed = deployed.proposed_thing(virtual)
        answers["thing"] = _ask("Thing", known.get("thing", proposed), _check_thing)
    if not answers.keys() & {"cloud", "endpoint_url"}:
        answers["cloud"] = _ask("Cloud, local or aws", known.get("cloud", "local"), _check_cloud)
    if answers.get("cloud") == "aws":
        _ask_aws(answers, known)
    if "port" in answers:
        _ask_wifi(answers, known)


def _ask_aws(answers: dict[str, str], known: dict[str, str]) -> None:
    for key, question in (("region", "AWS region"), ("profile", "AWS profile")):
        if key not in answers:
            answers[key] = _ask(f"{question}, empty: as configured", known.get(key, ""))


def _ask_wifi(answers: dict[str, str], known: dict[str, str]) -> None:
    if "wifi_ssid" not in answers:
        answers["wifi_ssid"] = _ask("Wi-Fi network", known.get("wifi_ssid", ""))
    if answers["wifi_ssid"] and "wifi_password" not in answers:
        from getpass import getpass

        kept = answers["wifi_ssid"] == known.get("wifi_ssid") and "wifi_password" in known
        hint = ", empty: as it is" if kept else ""
        typed = getpass(f"Wi-Fi password, not echoed{hint}: ", stream=sys.stderr)
        if typed or not kept:
            answers["wifi_password"] = typed


def _ask(question: str, now: str, check: Callable[[str], None] = lambda _answer: None) -> str:
    while True:
        print(f"{question}{f' [{now}]' if now else ''}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise ToolError("no answer: nothing was written", "--no-input, with options")
        answer = line.strip() or now
        try:
            check(answer)
        except ToolError as error:
            say(f"  {error.message}; {error.hint}")
        else:
            return answer


def _consistent(answers: dict[str, str], before: dict[str, str]) -> dict[str, str | None]:
    # What is answered, what that makes void, and empty answers as None.
    changes: dict[str, str | None] = {}
    for one, other in (("board", "port"), ("cloud", "endpoint_url")):
        if answers.get(one):
            changes[other] = None
        elif answers.get(other):
            changes[one] = None
    cloud = answers.get("cloud", "" if answers.get("endpoint_url") else before.get("cloud"))
    if cloud != "aws":
        changes["profile"] = None
    if answers.get("wifi_ssid", before.get("wifi_ssid")) != before.get("wifi_ssid"):
        changes["wifi_password"] = None  # it is the other network's
    keeps_empty = {"wifi_password"} if answers.get("wifi_ssid") else set()
    given = {
        key: value or (value if key in keeps_empty else None) for key, value in answers.items()
    }
    return {**changes, **given}


def _check(changes: dict[str, str | None]) -> None:
    if changes.get("thing"):
        _check_thing(str(changes["thing"]))
    url = changes.get("endpoint_url")
    if url and not url.startswith(("http://", "https://")):
        raise UsageError(f"{url} is not an http or https URL", "http://HOST:4566")
    if changes.get("definition"):
        from host_tools import boards

        boards.load(str(changes["definition"]))


def _check_thing(answer: str) -> None:
    from host_tools.identity import check_thing_name

    check_thing_name(answer)


def _check_cloud(answer: str) -> None:
    if answer not in defaults.CLOUDS:
        raise UsageError(f"{answer!r} is no cloud", "local or aws")


def _is_port(answer: str) -> bool:
    return (
        answer == "auto"
        or "/" in answer
        or (answer.upper().startswith("COM") and answer[3:].isdigit())
    )


def _list_ports() -> None:
    from serial.tools.list_ports import comports

    found = [each for each in comports() if each.vid is not None]
    for each in found:
        say(f"  {each.device}  {each.description}")
    if not found:
        say("  no serial port on USB: no real board is plugged in")
