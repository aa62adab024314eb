"""Put firmware, configuration and credentials on a board, start it, wait until it is connected.

Only what differs is copied, by SHA-256; what is no longer part of the firmware is removed; /state
and other files of yours are never touched. Wi-Fi: --wifi-ssid or JOBS_SANDBOX_WIFI_SSID, with the
password in JOBS_SANDBOX_WIFI_PASSWORD; without, what is on the board is kept.
"""

from __future__ import annotations

import argparse
import sys

from host_tools import target as target_module
from host_tools.errors import UsageError
from host_tools.output import result, result_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `deploy`."""
    target_module.add_board_arguments(parser)
    parser.add_argument(
        "--thing",
        "--thing-name",
        help="whom the board connects as; default: as last time, or the only one provisioned",
    )
    parser.add_argument("--wifi-ssid", metavar="NAME", help="the Wi-Fi network to join")
    parser.add_argument(
        "--definition",
        metavar="NAME",
        help="boards/NAME.toml; default: the one for the board's MicroPython",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the connection")
    parser.add_argument(
        "--wait-s", type=float, default=60.0, metavar="S", help="seconds to wait for it (60)"
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Deploy and print what was done."""
    from host_tools.deploy import Device, Options, choose_thing, deploy

    if args.wait_s <= 0:
        raise UsageError("--wait-s must be more than 0", "--no-wait, not to wait")
    target = target_module.resolve(args)
    device = Device.of(choose_thing(target, args.thing))
    options = Options(
        wifi_ssid=args.wifi_ssid,
        definition=args.definition,
        wait_s=0 if args.no_wait else args.wait_s,
        dry_run=args.dry_run,
    )
    with _ProgressBar() as progress:
        done = deploy(target, device, options, progress.show)
    if args.json:
        result_json(done.as_dict())
    elif args.dry_run:
        result(f"{target.label} would get {len(done.changed)} files, {done.bytes} bytes")
    else:
        state = "connected" if done.connected else "started" if done.restarted else "running"
        result(f"{target.label} is {state} as {done.thing}, after {done.seconds:.1f} s")
    return 0


class _ProgressBar:
    """A bar on stderr while bytes are sent, if that is a terminal."""

    def __enter__(self) -> _ProgressBar:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

        self._bar = Progress(
            "  sending",
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("sending", total=None, visible=False)
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def show(self, sent: int, total: int) -> None:
        """Show how far it is."""
        self._bar.start()
        self._bar.update(self._task, completed=sent, total=total, visible=True)
        if sent == total:
            self._bar.stop()
