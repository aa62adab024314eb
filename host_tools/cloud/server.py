"""The process of the local IoT Core: MiniStack under the rules, on the sockets it was handed.

Run by `local.start` only. Exit status: 0 stopped in order, 1 could not start (the reason is the
last line of its output).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

from host_tools.cloud import info
from host_tools.cloud.info import CloudInfo
from host_tools.cloud.rules import MissingSeamError, apply_rules
from host_tools.cloud.rules.seam import need
from host_tools.cloud.settings import Settings
from host_tools.cloud.sockets import LOOPBACK
from host_tools.cloud.state import StateKeeper

_GRACE_S = 2.0
_TICK_S, _TICKS_A_MINUTE = 0.25, 8
_log = logging.getLogger("jobs-sandbox")


def main() -> int:
    """Run the server until it is told to stop; return its exit status."""
    os.umask(0o077)  # whatever MiniStack writes is for its owner only
    settings = Settings.from_environment()
    for descriptor in (settings.lock_fd, settings.http_fd, settings.mqtt_fd):
        os.set_inheritable(descriptor, False)
    try:
        server = Server(settings)
    except MissingSeamError as error:
        print(f"jobs-sandbox: {error}", flush=True)
        return 1
    with asyncio.Runner(loop_factory=lambda: LoopbackEventLoop(settings)) as runner:
        return runner.run(server.run())


class LoopbackEventLoop(asyncio.SelectorEventLoop):
    """An event loop whose listeners are on 127.0.0.1, whatever was asked for.

    Rule "loopback only": MiniStack binds its MQTT listener to 0.0.0.0, which cannot be configured
    (`iot._mtls_start_locked`). That one gets the socket handed over by the starter; a copy of it,
    since closing the listener must not lose the port.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if options.get("sock") is not None:
            return await super().create_server(protocol_factory, **options)
        if port == self._settings.mqtt_port:
            copy = socket.socket(fileno=os.dup(self._settings.mqtt_fd))
            return await super().create_server(protocol_factory, sock=copy, **options)
        return await super().create_server(protocol_factory, host=LOOPBACK, port=port, **options)


class Server:
    """MiniStack under the rules, and what runs beside it: state keeping, sweeps, readiness."""

    def __init__(self, settings: Settings) -> None:
        """Import MiniStack and apply the rules. Raises MissingSeamError."""
        self._settings = settings
        self._app: Any = importlib.import_module("ministack.app")
        self._iot: Any = importlib.import_module("ministack.services.iot")
        self._state = StateKeeper(settings.data)
        self._sweeps = apply_rules(settings, self._state.touch)
        self._state.install()
        need("readiness", self._app, "app", "_iot_mtls_state", "_iot_mtls_task")
        need("readiness", self._iot, "mtls_is_listening", "get_ca_cert_pem")
        self._stop = asyncio.Event()
        self._failed = False

    async def run(self) -> int:
        """Serve until SIGTERM, SIGINT or the end of the lifeline."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if self._settings.lifeline >= 0:
            loop.add_reader(self._settings.lifeline, self._starter_ended)
        beside = [
            asyncio.create_task(task) for task in (self._become_ready(), self._tick(), self._end())
        ]
        try:
            await self._serve()
        finally:
            for task in beside:
                task.cancel()
            info.remove(self._settings.folder)
        return 1 if self._failed else 0

    def _starter_ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._settings.lifeline)
        self._stop.set()

    async def _serve(self) -> None:
        hypercorn: Any = importlib.import_module("hypercorn.asyncio")
        config: Any = importlib.import_module("hypercorn.config").Config()
        config.bind = [f"fd://{self._settings.http_fd}"]
        config.keep_alive_timeout = 75
        config.loglevel = "WARNING"
        config.graceful_timeout = 1
        await hypercorn.serve(self._counted, config, shutdown_trigger=self._stop.wait)

    async def _counted(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        # Any request may change the state: have it compared with what is on disk.
        try:
            await self._app.app(scope, receive, send)
        finally:
            if scope["type"] != "lifespan":
                self._state.touch()

    async def _become_ready(self) -> None:
        try:
            while not await asyncio.to_thread(self._is_ready):
                await asyncio.sleep(0.02)
            await self._announce()
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("could not become ready")
            self._failed = True
            self._stop.set()

    def _is_ready(self) -> bool:
        # Asked over HTTP, so that a yes proves the HTTP side; it knows whether MQTT listens.
        if (
            self._app._iot_mtls_state in ("degraded", "disabled")
            and self._app._iot_mtls_task is not None
        ):
            raise RuntimeError(f"the MQTT listener is {self._app._iot_mtls_state}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = f"http://{LOOPBACK}:{self._settings.http_port}/_ministack/ready"
        with contextlib.suppress(OSError), opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200 and self._iot.mtls_is_listening())
        return False

    async def _announce(self) -> None:
        certificate = await asyncio.to_thread(self._iot.get_ca_cert_pem)
        ca = self._settings.folder / "ca.pem"
        ca.write_text(certificate, encoding="ascii")
        await self._state.save()
        info.write(
            self._settings.folder,
            CloudInfo(
                endpoint_url=f"http://{LOOPBACK}:{self._settings.http_port}",
                mqtt_host="localhost",
                mqtt_port=self._settings.mqtt_port,
                ca=str(ca),
                region=self._settings.region,
                account=self._settings.account,
                pid=os.getpid(),
                state_dir=str(self._settings.data),
            ),
        )

    async def _tick(self) -> None:
        pause_s = min(_TICK_S, self._settings.minute_s / _TICKS_A_MINUTE)
        while True:
            await asyncio.sleep(pause_s)
            for work in (*self._sweeps, self._state.save):
                try:
                    await work()
                except Exception:
                    _log.exception("%s failed", work.__name__)

    async def _end(self) -> None:
        # Clients that keep their connections open must not keep the server up.
        await self._stop.wait()
        await self._state.save()
        await asyncio.sleep(_GRACE_S)
        info.remove(self._settings.folder)
        os._exit(1 if self._failed else 0)


if __name__ == "__main__":
    sys.exit(main())
