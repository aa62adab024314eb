"""What a start tells the server process, handed over in environment variables.

Only these reach the server; the rest of the caller's environment that MiniStack or an AWS library
would read is dropped, so that one machine's shell cannot change how the local IoT Core behaves.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import ToolError

VERSION = "1.5.33"
"""The MiniStack release the rules are written for; the lock file pins the same."""

_PREFIX = "JOBS_SANDBOX_CLOUD_"
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "COVERAGE_PROCESS_START",
)


@dataclass(frozen=True)
class Settings:
    """How a server is to run.

    `minute_s` is how many seconds a minute of a Jobs time-out lasts (60 as on AWS, less in tests);
    `keepalive_min_s` is the smallest keep-alive, to which smaller ones are raised (30 on AWS). The
    three descriptors are inherited: two bound sockets and the lock; `lifeline` is the read end of
    a pipe whose other end the starter holds, or -1: the server ends when the starter does.
    """

    folder: Path
    http_port: int
    mqtt_port: int
    http_fd: int
    mqtt_fd: int
    lock_fd: int
    lifeline: int = -1
    region: str = "us-east-1"
    account: str = "000000000000"
    minute_s: float = 60.0
    keepalive_min_s: float = 30.0

    @property
    def data(self) -> Path:
        """The folder of the state files."""
        return self.folder / "data"

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the server process."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        ours = {_PREFIX + name.upper(): str(value) for name, value in vars(self).items()}
        return kept | ours | self._ministack()

    def _ministack(self) -> dict[str, str]:
        return {
            "AUTH": "true",  # IoT policies are evaluated, as AWS does
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.data),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.data / "s3"),
            "TMPDIR": str(self.data / "tmp"),  # the server key passes through a temporary file
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.http_port),
            "IOT_MTLS_PORT": str(self.mqtt_port),
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": self.account,
            # No container is ever made here, and the user's own must not be reaped.
            "DOCKER_HOST": f"unix://{self.data / 'no-docker.sock'}",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "INFO",
            "PYTHONUNBUFFERED": "1",
        }

    @classmethod
    def from_environment(cls) -> Settings:
        """Return the settings the starter passed. Raises KeyError if run by hand."""
        text = {name: os.environ[_PREFIX + name.upper()] for name in cls.__dataclass_fields__}
        return cls(
            folder=Path(text["folder"]),
            http_port=int(text["http_port"]),
            mqtt_port=int(text["mqtt_port"]),
            http_fd=int(text["http_fd"]),
            mqtt_fd=int(text["mqtt_fd"]),
            lock_fd=int(text["lock_fd"]),
            lifeline=int(text["lifeline"]),
            region=text["region"],
            account=text["account"],
            minute_s=float(text["minute_s"]),
            keepalive_min_s=float(text["keepalive_min_s"]),
        )


def tunable(name: str, default: float) -> float:
    """Return the seconds in JOBS_SANDBOX_CLOUD_<name>, or `default`. Raises ToolError."""
    text = os.environ.get(_PREFIX + name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise ToolError(f"{_PREFIX}{name} is {text!r}, not a number of seconds", "30, or unset it")
    return value
