"""Make a thing with its key, certificate and policy, ready for deploy.

Running it again changes nothing that is good, and completes what is missing.
"""

from __future__ import annotations

import argparse

from host_tools.cloud import access
from host_tools.output import result, result_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `provision`."""
    parser.add_argument("thing", metavar="THING", help="name of the thing; also its client id")
    parser.add_argument("--json", action="store_true", help="print the identity as JSON")
    access.add_cloud_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Provision and print where the device connects."""
    from host_tools.identity import check_thing_name
    from host_tools.provision import provision

    check_thing_name(args.thing)
    made = provision(access.resolve(args), args.thing)
    if args.json:
        result_json({**made.as_dict(), "folder": str(made.folder)})
    else:
        result(f"{made.thing} is provisioned for {made.endpoint}:{made.port}, in {made.folder}")
    return 0
