"""Check, make, watch, list and cancel jobs.

  jobs-sandbox job lint docs/jobs/examples/steps.json
  jobs-sandbox job run gpio,led,on --watch         a command: the operation, then its arguments
  jobs-sandbox job run blink.json --group lamps    a file; docs/jobs/ tells what can be in it
  jobs-sandbox job watch JOB_ID                    one that is made already
  jobs-sandbox job list --thing my-thing
  jobs-sandbox job cancel JOB_ID --force

The AWS CLI command that does the same is printed. `run --watch` and `watch` exit 0 if the job has
SUCCEEDED.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from host_tools import boards, deployed, target
from host_tools.boards import BoardDefinition
from host_tools.cloud import access
from host_tools.errors import ToolError, UsageError
from host_tools.output import if_interrupted, result, result_json, say
from host_tools.target import Target

if TYPE_CHECKING:
    from host_tools.job_watch import Moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands and their options."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    lint = commands.add_parser("lint", help="check a document as the board does")
    lint.add_argument("document", metavar="FILE", help="a file, JSON, or a command: gpio,led,on")
    _add_board(lint)
    run = commands.add_parser("run", help="make a job of a document")
    run.add_argument("document", metavar="FILE|OPERATION", help="as for lint")
    run.add_argument("--group", help="for a thing group instead of one thing")
    run.add_argument("--job-id", help="default: the operation and the time")
    run.add_argument("--watch", "-w", action="store_true", help="show what happens until it ends")
    run.add_argument("--force", action="store_true", help="also if the board will reject it")
    _add_board(run)
    watch = commands.add_parser("watch", help="show what happens until a job ends")
    watch.add_argument("job_id", metavar="JOB_ID")
    _add_board(watch)
    for each in (run, watch):
        each.add_argument(
            "--timeout", type=float, default=120.0, metavar="S", help="seconds to watch (120)"
        )
    listing = commands.add_parser("list", help="list the jobs, or a thing's executions")
    cancel = commands.add_parser("cancel", help="cancel a job, or a thing's execution of it")
    cancel.add_argument("job_id", metavar="JOB_ID")
    cancel.add_argument("--force", action="store_true", help="also if it is in progress")
    for each in (run, listing, cancel):
        each.add_argument("--thing", help="a thing's name")
    for each in (run, watch, listing, cancel):
        access.add_cloud_arguments(each)
    for each in (lint, run, watch, listing):
        each.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Do one of the sub-commands."""
    actions = {"lint": _lint, "run": _run, "watch": _watch, "list": _list, "cancel": _cancel}
    return actions[args.action](args)


def _add_board(parser: argparse.ArgumentParser) -> None:
    target.add_board_arguments(parser)
    parser.add_argument(
        "--definition", metavar="BOARD", help="kind of board to check for (as it was deployed)"
    )


def _lint(args: argparse.Namespace) -> int:
    from host_tools import jobs
    from host_tools.job_documents import explained

    document = jobs.read_document(args.document)
    rejection = explained(document, _definition(args))
    if not rejection and (doubt := jobs.doubt(document)):
        say(f"{args.document}: {doubt}, and for more only sometimes")
    if args.json:
        found = vars(rejection) if rejection else {}
        result_json({"valid": rejection is None, **found})
    else:
        result(f"{args.document}: {rejection or 'valid'}")
    return 1 if rejection else 0


def _run(args: argparse.Namespace) -> int:
    from host_tools import jobs

    if args.group and "thing" in args.given:
        raise UsageError("--thing and --group exclude each other", "one of the two")
    document = jobs.read_document(args.document)
    if not args.force:
        jobs.check_document(document, None if args.group else _definition(args))
    job_id = jobs.check_id(args.job_id or jobs.new_id(document))
    cloud = access.resolve(args)
    thing = None if args.group else args.thing or _thing(args)
    arn = jobs.target_arn(cloud, thing, args.group)
    if args.watch:
        return _watched(args, cloud, job_id, lambda: jobs.create(cloud, arn, document, job_id))
    _show_made(jobs.create(cloud, arn, document, job_id), args.json)
    return 0


def _watch(args: argparse.Namespace) -> int:
    from host_tools import jobs

    job_id = jobs.check_id(args.job_id)
    return _watched(args, access.resolve(args), job_id, lambda: None)


def _watched(
    args: argparse.Namespace, cloud: access.Cloud, job_id: str, make: Callable[[], object]
) -> int:
    # `make` is called when the board is listened to already
    from host_tools import job_watch

    definition = _definition(args)
    names = {pin.gpio: name for name, pin in definition.pins.items()} if definition else {}
    with job_watch.listening(_target(args), names, say) as moments:
        make()
        where = "".join(f" {word}" for word in map(shlex.quote, access.given_words(args)))
        again = target.named(args).command(f"job watch {job_id}{where}")
        cancel = f"`jobs-sandbox job cancel {job_id}{where} --force`"
        job = job_watch.Watched(cloud, job_id, again, cancel)

        def show(moment: Moment) -> None:
            (say if args.json else result)(str(moment))

        with if_interrupted(f"the job goes on; {again} watches it, {cancel} ends it"):
            ended = job_watch.watch(job, moments, show, say, args.timeout)
    if args.json:
        result_json({"jobId": job_id, "executions": ended})
    failed = [thing for thing, each in ended.items() if each["status"] != "SUCCEEDED"]
    return 1 if failed else 0


def _list(args: argparse.Namespace) -> int:
    from host_tools import jobs

    found = jobs.listed(access.resolve(args), args.thing)
    if args.json:
        result_json(found)
        return 0
    for each in found:
        result(f"{each['status']:<12} {each['jobId']}")
    if not found:
        say("there are none")
    return 0


def _cancel(args: argparse.Namespace) -> int:
    from host_tools import jobs

    jobs.cancel(access.resolve(args), args.job_id, args.thing, args.force)
    say(f"{args.job_id} is cancelled" + (f" for {args.thing}" if args.thing else ""))
    return 0


def _show_made(job: Any, as_json: bool) -> None:
    if as_json:
        result_json(vars(job))
    else:
        result(job.job_id)


def _target(args: argparse.Namespace) -> Target | None:
    # The board whose log and pins can be watched; None if it is not there
    try:
        return target.resolve(args)
    except ToolError as error:
        say(f"without the board's log and pins: {error.message}")
        say(f"  a job for this board waits until it is there: {error.hint}")
        return None


def _definition(args: argparse.Namespace) -> BoardDefinition | None:
    board = target.named(args)
    default = "virtual" if board.board else None
    name = args.definition or deployed.last(board.key).get("definition") or default
    return boards.load(name) if name else None


def _thing(args: argparse.Namespace) -> str:
    from host_tools.deploy import settings

    return settings.choose_thing(target.named(args)).thing
