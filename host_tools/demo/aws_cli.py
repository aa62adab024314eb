"""The real AWS CLI, run against the cloud in use, shown as one types it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from host_tools.cloud.access import Cloud
from host_tools.demo.stage import Stage

_LIMIT_S = 60


class AwsCli:
    """`aws iot …`, each command shown, run, and its answer shown."""

    def __init__(self, stage: Stage, cloud: Cloud) -> None:
        self._stage = stage
        self._cli = Path(sys.executable).parent / "aws"
        self._environment = cloud.child_environment()

    def iot(self, *arguments: str) -> Any:
        """Run `aws iot ARGUMENTS` and return its answer, None if it prints none.

        Raises DemoError if it fails.
        """
        return self._finish(self._start(arguments))

    def both(self, first: Sequence[str], second: Sequence[str]) -> None:
        """Run two that do not depend on each other at the same time. Raises DemoError."""
        for running in [self._start(first), self._start(second)]:
            self._finish(running)

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        self._stage.shell(["aws", "iot", *arguments])
        return subprocess.Popen(
            [str(self._cli), "iot", *arguments, "--output", "json"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _finish(self, running: subprocess.Popen[str]) -> Any:
        try:
            output, errors = running.communicate(timeout=_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise self._stage.failed(f"the AWS CLI did not end in {_LIMIT_S} s") from error
        finally:
            running.kill()  # also when we are interrupted; nothing happens to one that has ended
        if running.returncode:
            raise self._stage.failed(f"the AWS CLI says: {errors.strip()}")
        self._stage.output(output)
        return json.loads(output) if output.strip() else None
