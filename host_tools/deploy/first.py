"""Deploying to a board that may need something first: MicroPython, or the name of its Wi-Fi."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from host_tools.deploy import (
    Deployed,
    Device,
    NoMicroPythonError,
    NoWifiError,
    Options,
    UnsuitableError,
    deploy,
)
from host_tools.deploy.raw_repl import RawRepl
from host_tools.deploy.upload import Progress
from host_tools.errors import ToolError
from host_tools.output import say
from host_tools.real import listing
from host_tools.target import Target

_PROMPT_S = 60.0  # the first start makes the file system


@dataclass(frozen=True)
class Flashing:
    """Whether to flash a board that needs it: True, False, or None to ask. `firmware`: a file."""

    wanted: bool | None = None
    firmware: Path | None = None
    progress: Callable[[str, int, int], None] | None = None


def deploy_first(
    target: Target, device: Device, options: Options, progress: Progress, flashing: Flashing
) -> Deployed:
    """Deploy; flash or ask first if it turns out to be necessary. Raises ToolError."""
    for _ in range(2):
        try:
            return deploy(target, device, options, progress)
        except (NoMicroPythonError, UnsuitableError) as error:
            if target.board is not None or options.dry_run:
                raise
            _flash(target, flashing, error)
        except NoWifiError:
            if not _is_terminal():
                raise
            options = replace(options, **_ask_wifi())
    return deploy(target, device, options, progress)


def _flash(target: Target, flashing: Flashing, why: ToolError) -> None:
    from host_tools import flash as flash_package

    say(f"{why.message}; is its boot loader there?")
    if flashing.wanted is False:
        raise ToolError(why.message, f"{why.hint}; or deploy without --no-flash")
    ask = _ask if _is_terminal() else None
    options = flash_package.Options(firmware=flashing.firmware, ask=ask)
    try:
        planned = flash_package.flash(target.device, replace(options, dry_run=True))
    except ToolError as error:
        raise type(why)(
            f"{why.message}; nor can it be flashed: {error.message}", error.hint
        ) from (error)
    if not flashing.wanted:
        _consent(planned.erased, ask, why)
    options = replace(options, erase=planned.erased)
    done = flash_package.flash(target.device, options, flashing.progress)
    say(f"{done.chip} has {done.title or done.build}, after {done.seconds:.1f} s")
    _wait_for_prompt(target)


def _consent(erased: bool, ask: Callable[[str], bool] | None, why: ToolError) -> None:
    if ask is None:
        raise ToolError(why.message, "--flash, to put MicroPython on it as planned above")
    lost = "All that it holds is lost" if erased else "Its settings in NVS are lost, files stay"
    if not ask(f"{lost}. Put MicroPython on it?"):
        raise ToolError(f"{why.message}; nothing was changed", "--flash")


def _wait_for_prompt(target: Target) -> None:
    say("waiting for MicroPython")
    number = listing.serial_number(target.device)
    deadline = time.monotonic() + _PROMPT_S
    while True:
        try:
            repl = RawRepl(listing.find(number, target.device), target.label)
            try:
                repl.enter()
                return repl.leave()
            finally:
                repl.close()
        except ToolError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: str) -> bool:
    while True:
        line = _line(f"{question} [Y/n] ").lower()
        if line in ("", "y", "yes", "n", "no"):
            return line not in ("n", "no")


def _ask_wifi() -> dict[str, Any]:
    ssid = ""
    while not ssid:
        ssid = _line("Wi-Fi network (SSID) for the board: ")
    password = getpass.getpass("its password, empty for an open network: ", sys.stderr)
    return {"wifi_ssid": ssid, "wifi_password": password}


def _line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise ToolError("no answer: nothing was changed", "an option instead: deploy --help")
    return line.strip()
