"""The real AWS CLI, run against the cloud in use, shown as one types it."""

from __future__ import annotations

import json
import subprocess
import sys
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
        self._stage.shell(["aws", "iot", *arguments])
        done = subprocess.run(
            [str(self._cli), "iot", *arguments, "--output", "json"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        if done.returncode:
            raise self._stage.failed(f"the AWS CLI says: {done.stderr.strip()}")
        self._stage.output(done.stdout)
        return json.loads(done.stdout) if done.stdout.strip() else None
