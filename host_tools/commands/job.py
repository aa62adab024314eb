"""Check, make, watch, list and cancel jobs.

  jobs-sandbox job lint docs/jobs/examples/steps.json
  jobs-sandbox job run gpio,led,on --watch         a command: the operation, then its arguments
  jobs-sandbox job run blink.json --group lamps    a file; docs/jobs/ tells what can be in it
  jobs-sandbox job list --thing my-thing
  jobs-sandbox job cancel JOB_ID --force

The AWS CLI command that does the same is printed. `run --watch` exits 0 if the job has SUCCEEDED.
"""

from __future__ import annotations

import argparse
from typing import Any

from host_tools import boards, deployed, target
from host_tools.boards import BoardDefinition
from host_tools.cloud import access
from host_tools.errors import ToolError, UsageError
from host_tools.output import if_interrupted, result, result_json, say
from host_tools.target import Target


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
    run.add_argument("--timeout", type=float, default=120.0, metavar="S", help="of --watch (120)")
    run.add_argument("--force", action="store_true", help="also if the board will reject it")
    _add_board(run)
    listing = commands.add_parser("list", help="list the jobs, or a thing's executions")
    cancel = commands.add_parser("cancel", help="cancel a job, or a thing's execution of it")
    cancel.add_argument("job_id", metavar="JOB_ID")
    cancel.add_argument("--force", action="store_true", help="also if it is in progress")
    for each in (run, listing, cancel):
        each.add_argument("--thing", help="a thing's name")
        access.add_cloud_arguments(each)
    for each in (lint, run, listing):
        each.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Do one of the sub-commands."""
    return {"lint": _lint, "run": _run, "list": _list, "cancel": _cancel}[args.action](args)


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
    if not args.watch:
        job = jobs.create(cloud, arn, document, job_id)
        _show_made(job, args.json)
        return 0
    return _watch(args, cloud, arn, document, job_id)


def _watch(
    args: argparse.Namespace, cloud: access.Cloud, arn: str, document: Any, job_id: str
) -> int:
    from host_tools import job_watch, jobs

    definition = _definition(args)
    names = {pin.gpio: name for name, pin in definition.pins.items()} if definition else {}
    with job_watch.listening(_target(args), names, say) as moments:
        job = jobs.create(cloud, arn, document, job_id)
        show = (lambda moment: say(str(moment))) if args.json else (lambda m: result(str(m)))
        with if_interrupted(
            f"the job goes on; `jobs-sandbox job cancel {job_id} --force` ends it"
        ):
            ended = job_watch.watch(cloud, job, moments, show, args.timeout)
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


def _unresolved(args: argparse.Namespace) -> Target:
    from host_tools.board import VirtualBoard

    return Target(args.port, None) if args.port else Target("", VirtualBoard(args.board))


def _definition(args: argparse.Namespace) -> BoardDefinition | None:
    board = _unresolved(args)
    default = "virtual" if board.board else None
    name = args.definition or deployed.last(board.key).get("definition") or default
    return boards.load(name) if name else None


def _thing(args: argparse.Namespace) -> str:
    from host_tools.deploy import settings

    return settings.choose_thing(_unresolved(args)).thing
