"""Start, stop or look at the local IoT Core: MiniStack under AWS's rules, on loopback."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from pathlib import Path

from host_tools import output, overview
from host_tools.cloud import access, local
from host_tools.cloud.info import CloudInfo
from host_tools.cloud.refusals import recent_refusals

_POLL_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="start|stop|status|env|log"
    )
    start = actions.add_parser(
        "start", help="start it, unless it runs, and wait until it is ready"
    )
    start.add_argument("--http-port", type=int, metavar="N", help="default: 4566, or a free one")
    start.add_argument("--mqtt-port", type=int, metavar="N", help="default: 8883, or a free one")
    start.add_argument(
        "--foreground", action="store_true", help="stay, show the log, stop with Ctrl-C"
    )
    start.add_argument("--json", action="store_true", help="print what is known about it as JSON")
    actions.add_parser("stop", help="stop it in order; its state is kept")
    status = actions.add_parser("status", help="say whether it runs; exit status 1 if not")
    status.add_argument("--json", action="store_true", help="print what is known about it as JSON")
    env = actions.add_parser(
        "env", help='print exports for a shell: eval "$(jobs-sandbox cloud env)"'
    )
    access.add_cloud_arguments(env)
    log = actions.add_parser("log", help="print its log")
    log.add_argument("--refused", action="store_true", help="only what it refused lately, and why")
    log.add_argument("-f", "--follow", action="store_true", help="go on printing what is added")


def run(args: argparse.Namespace) -> int:
    """Run one sub-command."""
    actions = {"start": _start, "stop": _stop, "status": _status, "env": _env, "log": _log}
    return actions[args.action](args)


def _start(args: argparse.Namespace) -> int:
    return _foreground(args) if args.foreground else _background(args)


def _background(args: argparse.Namespace, *, bound: bool = False) -> int:
    began, was = time.time(), local.status()
    with output.if_interrupted("the local IoT Core was not started"):
        running = local.start(http_port=args.http_port, mqtt_port=args.mqtt_port, bound=bound)
    for file in local.damaged_files(since=began - 1) if was is None else []:
        output.say(f"a damaged state file was set aside as {file}; provision your things again")
    _show(running, args.json)
    return 0


def _foreground(args: argparse.Namespace) -> int:
    if local.status() is not None:
        output.say("it runs already, so it stays in the background")
        return _background(args)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    shown = local.log_file().stat().st_size if local.log_file().exists() else 0
    try:
        _background(args, bound=True)
        _print_log(local.log_file(), shown, while_running=True)
    except KeyboardInterrupt:
        local.stop()
        output.say("stopped")
        return 0
    output.say("the local IoT Core has ended")
    return 1


def _stop(_args: argparse.Namespace) -> int:
    output.say(
        "stopped; its state is kept" if local.stop() else "the local IoT Core was not running"
    )
    return 0


def _status(args: argparse.Namespace) -> int:
    running = local.status()
    if running is not None:
        _show(running, args.json)
        return 0
    if args.json:
        output.result_json({"running": False})
    else:
        output.result("The local IoT Core is not running.")
        output.say("  try: `jobs-sandbox cloud start`")
    return 1


def _env(args: argparse.Namespace) -> int:
    cloud = access.resolve(args)
    for name in cloud.unwanted():
        output.result(f"unset {name}")
    for name, value in cloud.environment().items():
        output.result(f"export {name}={shlex.quote(value)}")
    return 0


def _log(args: argparse.Namespace) -> int:
    if args.refused:
        for refusal in recent_refusals():
            output.result(str(refusal))
        return 0
    if not local.log_file().exists():
        output.say("there is no log yet")
        return 1
    _print_log(local.log_file(), 0, follow=args.follow)
    return 0


def _print_log(
    file: Path, start: int, *, follow: bool = False, while_running: bool = False
) -> None:
    with file.open(encoding="utf-8", errors="replace") as log:
        log.seek(start if start <= file.stat().st_size else 0)  # a long one was begun anew
        while True:
            running = local.status() is not None
            text = log.read()
            sys.stdout.write(text)
            sys.stdout.flush()
            if not text and not follow and not (while_running and running):
                return
            time.sleep(0 if text else _POLL_S)


def _show(running: CloudInfo, as_json: bool) -> None:
    if as_json:
        output.result_json(running.as_dict())
        return
    output.result(
        f"The local IoT Core is running (pid {running.pid}).\n"
        f"  HTTP  {running.endpoint_url}\n"
        f"  MQTT  {running.mqtt_host}:{running.mqtt_port} (TLS, client certificates)\n"
        f"  CA    {running.ca}\n"
        f"Next: `{overview.look().next_step()[0]}`, `jobs-sandbox aws iot list-things`"
    )
