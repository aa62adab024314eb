"""State that survives kill -9: written as it changes, whole or not at all, mode 0600.

MiniStack itself writes its state at an orderly end only, and starts empty, to overwrite the file
at that end, if it cannot read it. Here each service's state is compared with the file after any
activity, at most every 0.25 s, and a file that cannot be read is set aside under another name.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import json
import logging
import os
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tools.cloud.rules.seam import need, replace, take

_SHARE = 10  # a save may take one part in so many of the time
_log = logging.getLogger("jobs-sandbox")


class StateKeeper:
    """Keeps MiniStack's state in JSON files of `folder`, one per service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._app: Any = importlib.import_module("ministack.app")
        self._iot: Any = importlib.import_module("ministack.services.iot")
        self._persistence: Any = importlib.import_module("ministack.core.persistence")
        self._written: dict[str, bytes] = {}  # service → digest of what is on disk
        self._touched = True
        self._next_save = 0.0
        self._writing = threading.Lock()
        self._number = 0
        self._newest: dict[str, int] = {}  # service → number of the save on disk

    def install(self) -> None:
        """Make MiniStack load and save through this. Raises MissingSeamError."""
        rule = "state survives kill -9"
        need(rule, self._app, "_state_map")
        need(rule, self._iot, "copy")
        need(rule, self._persistence, "_state_format_version", "_json_default")
        take(rule, self._app, "_build_persistence_save_dict", ())
        take(rule, self._app, "_get_module", ("name",))
        take(rule, self._persistence, "load_state", ("service",))
        take(rule, self._app, "_load_persisted_state", ())
        take(rule, self._persistence, "save_state", ("service", "data"))
        replace(self._app, "_load_persisted_state", self._load)
        replace(self._persistence, "save_state", self._save_one)

    def touch(self) -> None:
        """Note that something may have changed."""
        self._touched = True

    async def save(self) -> None:
        """Write what changed since the last save, if anything was touched."""
        if not self._touched or time.monotonic() < self._next_save:
            return
        self._touched = False
        began = time.monotonic()
        number, changed = self._next_number(), self._changed()
        self._next_save = began + _SHARE * (time.monotonic() - began)
        try:
            for service, text in changed.items():
                await asyncio.to_thread(self._write, number, service, text)
        except OSError:  # a full disk: try again
            self._touched = True
            raise

    def _changed(self) -> dict[str, bytes]:
        changed = {}
        for service, get_state in self._app._build_persistence_save_dict().items():
            with self._without_copies():
                state = get_state()
            text = self._serialise(service, state) if state is not None else b""
            if text and self._written.get(service) != hashlib.sha256(text).digest():
                changed[service] = text
        return changed

    @contextlib.contextmanager
    def _without_copies(self) -> Iterator[None]:
        # The IoT state is copied deeply, for who keeps it. We write it out before anything can
        # change,
        # and the copies would hold up the broker ten times as long as that.
        original = self._iot.copy
        self._iot.copy = types.SimpleNamespace(deepcopy=lambda value: value)
        try:
            yield
        finally:
            self._iot.copy = original

    def _serialise(self, service: str, state: Any) -> bytes:
        # The form that MiniStack's own loader reads.
        wrapped = {
            "__ministack_format__": self._persistence._state_format_version(service),
            "payload": state,
        }
        return json.dumps(wrapped, default=self._persistence._json_default).encode()

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _save_one(self, service: str, data: Any) -> None:
        # In place of persistence.save_state, at the orderly end.
        self._write(self._next_number(), service, self._serialise(service, data))

    def _write(self, number: int, service: str, text: bytes) -> None:
        # The orderly end may come while an older state is being written in a thread.
        with self._writing:
            if number >= self._newest.get(service, 0):
                self._newest[service] = number
                self._write_file(service, text)

    def _write_file(self, service: str, text: bytes) -> None:
        temporary = self._folder / f"{service}.json.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / f"{service}.json")
        self._written[service] = hashlib.sha256(text).digest()

    def _load(self) -> None:
        # In place of app._load_persisted_state, at the start.
        for service, module_name in self._app._state_map.items():
            file = self._folder / f"{service}.json"
            if file.exists():
                file.chmod(0o600)
                self._load_one(service, module_name, file)

    def _load_one(self, service: str, module_name: str, file: Path) -> None:
        try:
            if "__ministack_format__" not in json.loads(file.read_bytes()):
                raise ValueError("not a state file")
            state = self._persistence.load_state(service)
            if not isinstance(state, dict):
                raise ValueError("not readable by this version")
            self._app._get_module(module_name).load_persisted_state(state)
        except Exception as error:
            aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
            file.replace(aside)
            self._app._get_module(module_name).reset()
            _log.error(
                "%s is damaged (%s); set aside as %s, starting empty", file, error, aside.name
            )
