"""Puts the firmware with the user's credentials on a private board, and opens its console."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from host_tools import deployed
from host_tools.console import Session, script, terminal
from host_tools.console.protocol import FRIENDLY
from host_tools.deploy import Device, deploy
from host_tools.deploy.deploy import Options
from host_tools.deploy.raw_repl import RawRepl
from host_tools.identity import check_thing_name
from host_tools.output import say
from host_tools.sandbox import credentials, place
from host_tools.sandbox.private_board import private_board
from host_tools.target import Target

_BOARD = "sample"
# deploy keeps the settings that it finds, so the board never runs a job by itself
_MANUAL = "with open('/config.json', 'w') as f: f.write({!r})"


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    endpoint: str
    certificate: Path
    key: Path
    thing: str
    client_id: str | None = None
    ca: Path | None = None

    def device(self) -> Device:
        """Return whom the board connects as, and where. Raises ToolError, UsageError."""
        check_thing_name(self.thing)
        where = place.find(self.endpoint, self.ca)
        files = credentials.read(self.certificate, self.key, where.roots)
        client_id = self.client_id or f"test-{uuid.uuid4()}"
        return Device(self.thing, client_id, where.host, where.port, files)


def serve(wanted: Wanted, *, wait_s: float, timeout_s: float, on_terminal: bool) -> int:
    """Run the sandbox until the console is left or the input ends; returns the exit status.

    Raises ToolError, with the board's last log lines, if it does not connect in time.
    """
    device = wanted.device()
    say(f"{device.thing} connects to {device.endpoint}:{device.port} as {device.client_id}")
    with private_board(_BOARD) as board:
        target = Target(board.device, board, lasts=False)
        try:
            make_manual(target)
            deploy(target, device, Options(wait_s=wait_s))
            return _talk(target, timeout_s, on_terminal)
        finally:
            deployed.forget(board.name)  # the thing is the user's, and free for another board


def _talk(target: Target, timeout_s: float, on_terminal: bool) -> int:
    if on_terminal:
        return terminal.run(
            target, start=False, timeout_s=timeout_s, after="the board is switched off"
        )
    output = script.Output()
    with Session(target, output.show, say) as session:
        session.open(may_start=lambda: False)
        lines = script.standard_input()
        return script.run_script(session, output, lines, timeout_s=timeout_s)


def make_manual(target: Target) -> None:
    """Switch the executor of a fresh board off, before the firmware is on it."""
    repl = RawRepl(target.device, target.label)
    try:
        repl.enter()
        repl.run(_MANUAL.format(json.dumps({"executor": False})))
        repl.serial.write(FRIENDLY)  # out of the raw REPL, or deploy would wait for an answer
    finally:
        repl.close()
