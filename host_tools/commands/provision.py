"""Make a thing with its key, certificate and policy, ready for deploy; or take it away again.

  provision my-thing                       make it, or complete what is missing
  provision 'sensor-{:03}' --count 20      make many, with a manifest
  provision my-thing --cert F --key F      use a certificate that exists
  provision --list                         what was made, and its state in the cloud
  provision --teardown my-thing            remove exactly what was made for it

--dry-run shows the calls, as AWS CLI commands, and makes none of them. The private key is made
here and leaves this computer only for the board.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from host_tools.cloud import access
from host_tools.errors import ToolError, UsageError
from host_tools.output import if_interrupted, result, result_json, say

if TYPE_CHECKING:
    from host_tools.provision import Given
    from host_tools.provision.calls import Call

_GOES_ON = "what is made stays; the same command goes on where it stopped, --teardown removes it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `provision`."""
    parser.add_argument(
        "thing", nargs="?", metavar="THING", help="name of the thing; also its client id"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show what was made")
    what.add_argument("--teardown", action="store_true", help="remove what was made for THING")
    parser.add_argument(
        "--count", type=int, metavar="N", help="N things; THING has {} or {:03} for the number"
    )
    parser.add_argument(
        "--first", type=int, default=1, metavar="N", help="with --count: the first number (1)"
    )
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help="with --count: where to say what was made"
    )
    parser.add_argument(
        "--cert", type=Path, metavar="FILE", help="use this certificate, PEM or DER"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key, PEM or DER")
    parser.add_argument("--dry-run", action="store_true", help="show the calls, make none")
    parser.add_argument("--yes", "-y", action="store_true", help="--teardown without asking")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    access.add_cloud_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Do what is asked for, and print what came of it."""
    if args.list:
        return _list(args)
    things = _things(args)
    if args.teardown:
        return _teardown(args, things)
    if args.dry_run:
        return _plan(args, things)
    return _one(args, things[0]) if args.count is None else _batch(args, things)


def _things(args: argparse.Namespace) -> list[str]:
    from host_tools.provision import batch

    if args.thing is None or (args.teardown and "thing" not in args.given):
        what = "--teardown my-thing" if args.teardown else "my-thing"
        raise UsageError("which thing?", f"`jobs-sandbox provision {what}`")
    if args.manifest and args.count is None:
        raise UsageError("--manifest goes with --count", "--json tells about a single thing")
    if bool(args.cert) != bool(args.key):
        raise UsageError("--cert and --key go together", "--cert FILE --key FILE")
    if args.cert and (args.count is not None or args.teardown):
        raise UsageError("--cert and --key are for making one thing", "each thing has its own")
    return batch.names(args.thing, args.count, args.first)


def _one(args: argparse.Namespace, thing: str) -> int:
    from host_tools.provision import provision

    with if_interrupted(_GOES_ON):
        made = provision(access.resolve(args), thing, _given(args))
    if args.json:
        result_json({**made.as_dict(), "folder": str(made.folder)})
    else:
        result(f"{made.thing} is provisioned for {made.endpoint}:{made.port}, in {made.folder}")
        say(f"next: {_deploy(made.thing)}")
    return 0


def _deploy(thing: str) -> str:
    # names the thing unless it is what the board becomes without
    from host_tools import defaults, target
    from host_tools.deploy import choose_thing

    board = target.meant()
    try:
        is_chosen = choose_thing(board, defaults.load().get("thing")).thing == thing
    except ToolError:
        is_chosen = False
    return board.command("deploy" if is_chosen else f"deploy --thing {thing}")


def _given(args: argparse.Namespace) -> Given | None:
    from host_tools.provision import Given

    return Given(args.cert, args.key) if args.cert else None


def _batch(args: argparse.Namespace, things: list[str]) -> int:
    from host_tools.cloud.aws_errors import aws_errors
    from host_tools.provision import batch
    from host_tools.provision.calls import Calls
    from host_tools.provision.making import Provisioning
    from host_tools.provision.policy_steps import SharedPolicy

    path = args.manifest or batch.manifest_path(things)
    batch.write_manifest(path, batch.manifest(things, []))
    say(f"manifest: {path}")
    made = []
    with if_interrupted(_GOES_ON), aws_errors():
        calls = Calls(access.resolve(args))
        provisioning = Provisioning(calls, SharedPolicy(calls))
        for number, thing in enumerate(things, 1):
            say(f"[{number}/{len(things)}]")
            made.append(provisioning.make(thing))
            batch.write_manifest(path, batch.manifest(things, made))
    if args.json:
        result_json(batch.manifest(things, made))
    else:
        what = f"{len(made)} thing{'s are' if len(made) > 1 else ' is'}"
        result(f"{what} provisioned for {made[0].endpoint}; manifest: {path}")
    return 0


def _plan(args: argparse.Namespace, things: list[str]) -> int:
    from host_tools.provision import plan

    say("dry run: nothing is made")
    return _show_calls(args, plan(access.resolve(args), things, _given(args)))


def _list(args: argparse.Namespace) -> int:
    from host_tools.cloud.aws_errors import aws_errors
    from host_tools.provision import listing
    from host_tools.provision.calls import Calls

    if "thing" in args.given and args.thing is not None:
        raise UsageError("--list shows all things", "`jobs-sandbox provision --list`")
    try:
        with aws_errors():
            found = listing.rows(Calls(access.resolve(args)))
    except ToolError as error:
        say(f"the cloud is not asked: {error.message}")
        found = listing.rows(None)
    if args.json:
        result_json([each.as_dict() for each in found])
        return 0
    for each in found:
        where = f"{each.cloud} {each.region} {each.account}".strip()
        until = f"until {each.expires}" if each.expires else ""
        result(f"{each.thing:<24} {each.state:<12} {where:<28} {until}".rstrip())
    if not found:
        say("Nothing is provisioned. `jobs-sandbox provision my-thing` makes a thing.")
    return 0


def _teardown(args: argparse.Namespace, things: list[str]) -> int:
    from host_tools.cloud.aws_errors import aws_errors
    from host_tools.provision.calls import Calls
    from host_tools.provision.teardown import Teardown, look

    if not (args.yes or args.dry_run or sys.stdin.isatty()):
        raise UsageError("nothing is removed: there is no terminal to ask on", "--yes")
    with aws_errors():
        calls = Calls(access.resolve(args), dry_run=args.dry_run)
        removals = [look(calls, thing) for thing in things]
        if not (args.yes or args.dry_run):
            for removal in removals:
                say(f"{removal.thing}: {removal}")
            _confirm(f"Remove this from {calls.place}?")
        if args.dry_run:
            say("dry run: nothing is removed")
        with if_interrupted("what is gone is gone; the same command removes the rest"):
            Teardown(calls).remove(removals)
    if args.dry_run:
        return _show_calls(args, calls.planned)
    result(f"{', '.join(things)}: what was made is gone")
    return 0


def _confirm(question: str) -> None:
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ToolError("nothing was removed", "answer y, or --yes")


def _show_calls(args: argparse.Namespace, calls: list[Call]) -> int:
    if args.json:
        result_json([each.as_dict() for each in calls])
        return 0
    for each in calls:
        result(shlex.join(each.command))
    if not calls:
        say("Nothing would be changed.")
    return 0
