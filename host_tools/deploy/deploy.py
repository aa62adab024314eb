"""One deploy, from the plan to the connected board."""

from __future__ import annotations

import contextlib
import datetime
import socket
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from host_tools.cloud import local
from host_tools.deploy import build, plan, scripts, settings, upload
from host_tools.deploy.plan import Plan
from host_tools.deploy.port_trouble import GoneError
from host_tools.deploy.raw_repl import NoAnswerError, RawRepl
from host_tools.deploy.running import Application
from host_tools.deploy.settings import Device
from host_tools.deploy.upload import Progress
from host_tools.errors import ToolError
from host_tools.output import Ticker, if_interrupted, say, say_command
from host_tools.target import Target

_HASHING_S = 60
_SHOWN_COMMANDS = 3
_LEAST_WAIT_S = 1.0
_UART_BYTES_S = 115200 / 10  # 8N1; boards with USB of their own are faster
_PIPE_BYTES_S = 150_000.0  # a virtual board's line
_LOCAL_HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Options:
    """How to deploy. `definition`: a name in boards/; `wait_s`: 0 not to wait until connected."""

    wifi_ssid: str | None = None
    wifi_password: str | None = field(default=None, repr=False)
    definition: str | None = None
    wait_s: float = 60.0
    dry_run: bool = False


@dataclass(frozen=True)
class Deployed:
    """What a deploy did. `connected` is False if that was not waited for."""

    thing: str
    device: str
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: int = 0
    bytes: int = 0
    restarted: bool = False
    connected: bool = False
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return what `deploy --json` prints."""
        return asdict(self)


class NoMicroPythonError(ToolError):
    """Nothing on the port answers as MicroPython does."""


class UnsuitableError(ToolError):
    """The board's MicroPython cannot run the firmware."""


class _Facts(NamedTuple):
    # What scripts.FACTS prints
    abi: int
    micropython: str
    build: str
    has_umqtt: bool
    free: int


def deploy(
    target: Target,
    device: Device,
    options: Options | None = None,
    progress: Progress = lambda sent, total: None,
) -> Deployed:
    """Make the board run this firmware as this device. Says each step; returns what was done.

    A board that is up to date and running is not disturbed. Raises ToolError with cause and fix;
    the old application is whole until all new files are there, and what a deploy that was cut
    short has sent is used by the next.
    """
    options = options or Options()
    _check_reachable(target, device, options)
    begun = time.monotonic()
    repl = RawRepl(target.device, target.label)
    try:
        deployed = _Deployment(target, device, options, progress, repl).run()
    finally:
        repl.close()
    return replace(deployed, seconds=round(time.monotonic() - begun, 2))


class _Deployment:
    def __init__(
        self, target: Target, device: Device, options: Options, progress: Progress, repl: RawRepl
    ) -> None:
        self._target = target
        self._device = device
        self._options = options
        self._progress = progress
        self._repl = repl
        self._application = Application(repl.serial, target)
        self._wifi = settings.wifi(target, options.wifi_ssid, options.wifi_password)

    def run(self) -> Deployed:
        done = Deployed(self._device.thing, self._target.device)
        with self._repl.errors():
            running = self._application.find()
            files = self._up_to_date() if running else None
        if files is not None:
            same = sum(1 for digest in files.values() if digest)  # folders have none
            say(f"plan: nothing to do, {same} same; the sandbox there is left alone")
            return self._wait(replace(done, same=same))
        made = self._bring_up_to_date(running is not None)
        done = replace(
            done, changed=made.changed, removed=made.removed, same=made.same, bytes=made.size
        )
        if self._options.dry_run:
            say("dry run: nothing was changed")
            self._resume(running is not None)
            return done
        self._repl.run(_set_clock())
        say("starting the sandbox")
        say_command(["mpremote", "connect", self._target.device, "soft-reset"])
        self._repl.start_main()
        # what the old one said is void
        self._application = Application(self._repl.serial, self._target)
        return self._wait(replace(done, restarted=True))

    def _up_to_date(self) -> dict[str, str] | None:
        # What lies on the board, if that is exactly what is wanted; asks the running application,
        # so what only the raw REPL tells is taken from what is there.
        found = self._application.files()
        name = self._options.definition or settings.last_deployed(self._target).get("definition")
        if found is None or self._wifi is None or name is None:
            return None
        wanted = build.application(umqtt="/umqtt/simple.mpy" in found)
        wanted |= self._settings(name, "")
        ours = [each for each in found if each.startswith(plan.FOLDERS)]
        same = all(found.get(each) == plan.sha256(content) for each, content in wanted.items())
        return found if same and not plan.strays(wanted, ours) else None

    def _settings(self, definition: str, old_config: str) -> dict[str, bytes]:
        credentials = self._device.credentials.items()
        return {
            settings.CONFIG: settings.config(self._device, self._wifi, old_config),
            settings.BOARD: settings.board(definition),
            **{f"/credentials/{name}": content for name, content in credentials},
        }

    def _bring_up_to_date(self, was_running: bool) -> Plan:
        stops = ": the sandbox there stops meanwhile" if was_running else ""
        say(f"looking at what is on the {self._target.label}{stops}")
        try:
            self._repl.enter()
        except NoAnswerError as error:
            raise NoMicroPythonError(error.message, error.hint) from error
        try:
            with if_interrupted(self._half_done()):
                return self._change()
        except (ToolError, KeyboardInterrupt) as error:
            with contextlib.suppress(ToolError):
                if isinstance(error, KeyboardInterrupt):
                    self._repl.interrupt()
                self._resume(was_running)
            raise

    def _change(self) -> Plan:
        facts = _Facts(*self._repl.run(scripts.FACTS)[0])
        definition = settings.definition(self._target, facts.build, self._options.definition)
        files = build.application(umqtt=not facts.has_umqtt)
        try:
            build.check_abi(files, facts.abi, facts.micropython)
        except ToolError as error:
            raise UnsuitableError(error.message, error.hint) from error
        files |= self._settings(definition, self._repl.read(settings.CONFIG))
        made = self._plan(files, facts)
        if not self._options.dry_run:
            if made:
                self._carry_out(made, facts)
            settings.remember(self._target, self._device.thing, definition)
        return made

    def _plan(self, files: dict[str, bytes], facts: _Facts) -> Plan:
        manifest = self._repl.read(plan.MANIFEST).encode()
        self._repl.run(scripts.HELPERS)
        look = scripts.LOOK.format(folders=plan.FOLDERS, files=plan.top_level(files, manifest))
        found: dict[str, str] = dict(self._repl.run(look, timeout_s=_HASHING_S))
        made = plan.make(files, found, manifest, facts.abi)
        speed = _PIPE_BYTES_S if self._target.board else _UART_BYTES_S
        say(f"plan: {made.describe()}" + (f", about {made.seconds(speed)} s" if made else ""))
        return made

    def _carry_out(self, made: Plan, facts: _Facts) -> None:
        if made.size > facts.free:
            raise ToolError(
                f"the {self._target.label} is full: {made.size} bytes to put, {facts.free} free",
                f"remove what is not needed: mpremote connect {self._target.device} fs tree -s",
            )
        self._say_commands(made)
        upload.send(self._repl, made, self._progress)
        upload.switch(self._repl, made)

    def _say_commands(self, made: Plan) -> None:
        sent = [name for name in made.changed if name not in made.staged]
        modules = [name for name in sent if name.endswith(".mpy")]
        for name in modules[:_SHOWN_COMMANDS]:
            file = name.rpartition("/")[2]
            say_command([*build.compile_command(name), "-o", file])
            say_command(["mpremote", "connect", self._target.device, "fs", "cp", file, f":{name}"])
        rest = len(sent) - len(modules[:_SHOWN_COMMANDS])
        if rest and modules:
            say(f"  … and so on for the other {rest} file{'s' if rest > 1 else ''}")

    # What is left after Ctrl-C; of a board that does not last, whoever has it tells

    def _half_done(self) -> str:
        if not self._target.lasts:
            return ""
        again = self._target.command(f"deploy --thing {self._device.thing}")
        return f"the board has its old files or the new ones, whole; {again} goes on"

    def _goes_on(self) -> str:
        if not self._target.lasts:
            return ""
        console = self._target.command("console")
        return f"the files are there, the board goes on connecting; {console} watches it"

    def _resume(self, was_running: bool) -> None:
        if was_running:
            say("starting again what was running")
            self._repl.start_main()
        else:
            self._repl.leave()

    def _wait(self, done: Deployed) -> Deployed:
        if not self._options.wait_s or self._options.dry_run:
            self._application.release()
            return done
        where = f"{self._device.endpoint}:{self._device.port}"
        ticker = Ticker(f"waiting until it is connected to {where}", self._options.wait_s)
        try:
            with if_interrupted(self._goes_on()):
                return self._wait_until_connected(done, ticker)
        finally:
            ticker.clear()

    def _wait_until_connected(self, done: Deployed, ticker: Ticker) -> Deployed:
        def show(line: str) -> None:
            ticker.clear()
            say("  " + line)

        deadline = time.monotonic() + self._options.wait_s
        just_started = done.restarted
        while True:
            try:
                with self._repl.errors():
                    self._application.wait_until_connected(
                        max(deadline - time.monotonic(), _LEAST_WAIT_S),
                        show,
                        just_started=just_started,
                        tick=ticker.tick,
                    )
                return replace(done, connected=True)
            except GoneError:
                if time.monotonic() > deadline:
                    raise
                self._repl.reopen()
                self._application = Application(self._repl.serial, self._target)
                just_started = False  # why: what it said meanwhile is lost


def _set_clock() -> str:
    now = datetime.datetime.now(datetime.UTC)
    day = (now.year, now.month, now.day, now.weekday())
    return scripts.SET_CLOCK.format(datetime=(*day, now.hour, now.minute, now.second, 0))


def _check_reachable(target: Target, device: Device, options: Options) -> None:
    """Raise ToolError if the board cannot possibly connect."""
    if device.endpoint not in _LOCAL_HOSTS:
        return
    if target.board is None:
        raise ToolError(
            f"a real board cannot reach {device.endpoint}, where {device.thing} was provisioned",
            f"`jobs-sandbox provision {device.thing} --cloud aws`",
        )
    if not options.wait_s or options.dry_run:
        return
    try:
        socket.create_connection((device.endpoint, device.port), timeout=2).close()
    except OSError as error:
        runs = local.status()
        if runs is None:
            hint = "`jobs-sandbox cloud start`: it keeps what is provisioned"
        else:
            hint = f"`jobs-sandbox provision {device.thing}`: the cloud is at {runs.mqtt_port} now"
        raise ToolError(
            f"nothing listens at {device.endpoint}:{device.port}, where {device.thing} connects",
            hint,
        ) from error
