"""Put firmware, configuration and credentials on a board, start it, wait until it is connected.

Only what differs is copied, by SHA-256; what is no longer part of the firmware is removed; /state
and other files of yours are never touched. Wi-Fi: --wifi-ssid or JOBS_SANDBOX_WIFI_SSID, with the
password in JOBS_SANDBOX_WIFI_PASSWORD, or sandbox.toml; without, what is on the board is kept, or
you are asked. A real board without a usable MicroPython is flashed first, if you agree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from host_tools import deployed
from host_tools import target as target_module
from host_tools.errors import UsageError
from host_tools.output import result, result_json, say
from host_tools.target import Target

if TYPE_CHECKING:
    from host_tools.deploy import Device, Options
    from host_tools.identity import ThingIdentity


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
    flash = parser.add_mutually_exclusive_group()
    flash.add_argument(
        "--flash", action="store_true", default=None, help="flash first if that is necessary"
    )
    flash.add_argument("--no-flash", dest="flash", action="store_false", help="never flash")
    parser.add_argument(
        "--firmware", metavar="FILE", type=Path, help="what to flash (default: MicroPython's own)"
    )
    parser.add_argument(
        "--to-folder", metavar="DIR", type=Path, help="write the files there, for another tool"
    )
    parser.add_argument("--watch", action="store_true", help="deploy again whenever you save")
    parser.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the connection")
    parser.add_argument(
        "--wait-s", type=float, default=60.0, metavar="S", help="seconds to wait for it (60)"
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Deploy and print what was done."""
    from host_tools.deploy import Options

    if args.watch and (args.json or args.dry_run):
        raise UsageError("--watch goes with neither --json nor --dry-run", "one of them")
    if args.wait_s <= 0:
        raise UsageError("--wait-s must be more than 0", "--no-wait, not to wait")
    if args.to_folder:
        return _to_folder(args)
    target = target_module.resolve(args)
    device = _device(args, target)
    options = Options(
        wifi_ssid=args.wifi_ssid,
        definition=args.definition,
        wait_s=0 if args.no_wait else args.wait_s,
        dry_run=args.dry_run,
    )
    _deploy(args, target, device, options)
    if args.watch:
        from host_tools import paths
        from host_tools.deploy.watch import watch

        watch(paths.FIRMWARE, lambda: _deploy(args, target, device, options))
    return 0


def _device(args: argparse.Namespace, target: Target) -> Device:
    # says first whom the board becomes, and what speaks against it
    from host_tools.deploy import Device, settings

    chosen, why = settings.chosen(target, args.thing)
    if args.thing and "thing" not in args.given:
        why = "as sandbox.toml says"
    say(f"{target.label}: thing {chosen.thing} ({why}), of {_where(chosen)}")
    for other in settings.others_with(target, chosen.thing):
        say(f"warning: {chosen.thing} is on {other}, too: two boards with one client id drive")
        say(f"  each other off the line. Make one of its own: {_own(target, chosen.thing)}")
    return Device.of(chosen)


def _where(chosen: ThingIdentity) -> str:
    return "the local IoT Core" if chosen.cloud == "local" else f"AWS, {chosen.region}"


def _own(target: Target, taken: str) -> str:
    name = deployed.proposed_thing(target.board.name if target.board else None)
    if name == taken:
        name += "-2"
    return f"`jobs-sandbox provision {name}`, then {target.command(f'deploy --thing {name}')}"


def _to_folder(args: argparse.Namespace) -> int:
    from host_tools.deploy import Device, choose_thing, settings, tree

    if not args.definition:
        raise UsageError("--to-folder needs --definition", "a name from `jobs-sandbox boards`")
    target = Target(str(args.to_folder), None)
    device = Device.of(choose_thing(target, args.thing))
    wifi = settings.wifi(target, args.wifi_ssid)
    files = tree.write(args.to_folder, device, args.definition, wifi)
    result(f"{args.to_folder} holds {len(files)} files for {device.thing}, with its private key")
    return 0


def _deploy(args: argparse.Namespace, target: Target, device: Device, options: Options) -> None:
    from host_tools.deploy.first import Flashing, deploy_first

    with _ProgressBar() as progress:
        flashing = Flashing(args.flash, args.firmware, progress.show_flash)
        done = deploy_first(target, device, options, progress.show, flashing)
    if args.json:
        result_json(done.as_dict())
    elif args.dry_run:
        what = f"{len(done.changed)} files, {done.bytes} bytes" if done.changed else "nothing"
        result(f"{target.label} would get {what}")
    else:
        state = "connected" if done.connected else "started" if done.restarted else "running"
        result(f"{target.label} is {state} as {done.thing}, after {done.seconds:.1f} s")


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

    def show_flash(self, what: str, done: int, total: int) -> None:
        """Show how far flashing is; as `flash` reports it."""
        self.show(done, total)

    def show(self, sent: int, total: int) -> None:
        """Show how far it is."""
        self._bar.start()
        self._bar.update(self._task, completed=sent, total=total, visible=True)
        if sent == total:
            self._bar.stop()
