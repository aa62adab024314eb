"""Run the AWS CLI against the cloud in use.

  jobs-sandbox aws iot list-jobs                  against the local IoT Core
  jobs-sandbox aws --cloud aws iot list-jobs      against AWS, with your own configuration

Everything after an optional --cloud goes to the AWS CLI as it is, `--help` of a command included;
its own help is `jobs-sandbox aws help`. The exit status is the AWS CLI's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from host_tools.cloud import access
from host_tools.errors import ToolError, UsageError

_KINDS = ("local", "aws")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take every argument as it is: options belong to the AWS CLI."""
    parser.prefix_chars = "\0"  # nothing looks like an option to argparse
    parser.usage = "jobs-sandbox aws [--cloud local|aws] ARGUMENT..."
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="for the AWS CLI"
    )
    parser.set_defaults(print_help=parser.print_help)
    parser.set_defaults(cloud="local", endpoint_url=None, region=None, profile=None)


def run(args: argparse.Namespace) -> int:
    """Run the AWS CLI and return its exit status."""
    kind, arguments = _split(args.arguments)
    if kind and kind != args.cloud:  # what sandbox.toml says of a cloud goes with that cloud
        args.region = args.profile = None
    if kind:
        args.cloud, args.endpoint_url = kind, None
    if not arguments or arguments[0] in ("-h", "--help"):
        args.print_help()
        return 0
    return subprocess.run([_aws_cli(), *arguments], env=_environment(args), check=False).returncode


def _environment(args: argparse.Namespace) -> dict[str, str]:
    if args.cloud != "aws":
        return access.resolve(args).child_environment()
    # not by `resolve`: `aws configure` is there to make a configuration complete
    known = {"AWS_REGION": args.region, "AWS_DEFAULT_REGION": args.region}
    known["AWS_PROFILE"] = args.profile
    return {**os.environ, **{name: value for name, value in known.items() if value}}


def _split(arguments: list[str]) -> tuple[str, list[str]]:
    # Our own option, if it comes first, "" if not, from the rest.
    if not arguments or arguments[0].partition("=")[0] != "--cloud":
        return "", arguments
    _, equals, value = arguments[0].partition("=")
    rest = arguments[1:]
    if not equals:
        value, rest = (rest or [""])[0], rest[1:]
    if value not in _KINDS:
        raise UsageError(f"--cloud must be local or aws, not {value or 'missing'}", "--cloud aws")
    return value, rest


def _aws_cli() -> str:
    cli = Path(sys.executable).parent / "aws"
    if not cli.exists():
        raise ToolError(f"the AWS CLI is not installed beside {sys.executable}", "`make setup`")
    return str(cli)
