"""What every rule is given: MiniStack, the settings, and where to report a refusal."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from host_tools.cloud.refusals import Refusal, RefusalLog
from host_tools.cloud.settings import Settings

Sweep = Callable[[], Awaitable[None]]
"""Done several times a second, beside the server: what AWS does by itself when time passes."""

_log = logging.getLogger("refused")


@dataclass
class Context:
    """`touch` says the state may have changed; `sweeps` collects what is to be done regularly."""

    settings: Settings
    touch: Callable[[], None]
    app: Any = field(default_factory=lambda: importlib.import_module("ministack.app"))
    iot: Any = field(default_factory=lambda: importlib.import_module("ministack.services.iot"))
    jobs_data: Any = field(
        default_factory=lambda: importlib.import_module("ministack.services.iot_jobs_data")
    )
    sweeps: list[Sweep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._refusals = RefusalLog(self.settings.folder)

    def refuse(self, rule: str, reason: str, session: Any = None, **details: str) -> None:
        """Report a refusal. `session` is MiniStack's, if there is one; `details` see Refusal."""
        if session is not None:
            details.setdefault("client", session._client_id or "")
            details.setdefault("certificate", session.certificate_id or "")
        refusal = Refusal(time.time(), rule, reason, **details)
        if self._refusals.add(refusal):
            _log.warning("%s [%s]", refusal, rule)
