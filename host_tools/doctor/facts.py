"""What a board says of itself, asked so that it is not disturbed.

The running application is asked by its console; only a board that waits at the MicroPython REPL is
asked through the raw REPL. What runs something else is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from host_tools import hold_ups
from host_tools.console.session import Session, State
from host_tools.deploy import plan, scripts
from host_tools.deploy.raw_repl import RawRepl
from host_tools.errors import ToolError
from host_tools.target import Target

_ANSWER_S = 20.0  # hashing forty files takes an ESP32 a few seconds
_FILE = re.compile(r"^([0-9a-f]{64}|-) (/.+)$")

# Prints as scripts.FACTS does; leaves nothing behind
_SYSTEM = """
import gc, machine, sys, time
gc.collect()
i = sys.implementation
print(('micropython', '%s, mpy %d, %s, %s' % ('.'.join(str(n) for n in i[1][:3]),
    getattr(i, '_mpy', 0) & 255, getattr(i, '_build', ''), getattr(i, '_machine', ''))))
print(('heap', '%d bytes free' % gc.mem_free()))
print(('clock', '%04d-%02d-%02d %02d:%02d:%02d UTC' % time.gmtime()[:6]))
causes = ('PWRON_RESET', 'HARD_RESET', 'WDT_RESET', 'DEEPSLEEP_RESET', 'SOFT_RESET')
print(('uptime', ', '.join(n for n in causes if getattr(machine, n, -1) == machine.reset_cause())))
try:
    import esp32
    h = esp32.idf_heap_info(esp32.HEAP_DATA)
    print(('system heap', '%d bytes free, %d in one piece' % (sum(r[1] for r in h),
        max(r[2] for r in h))))
except (ImportError, AttributeError):
    pass
"""


@dataclass(frozen=True)
class Facts:
    """What the board says: `status` by its lines' names ("link", "last trouble", "heap", …),
    `files` by path with their SHA-256 in hex, the text of its `manifest`, its last `log` lines.
    `application`: version of what runs there, None at the REPL.
    """

    application: str | None
    status: dict[str, str]
    files: dict[str, str]
    manifest: str
    log: list[str] = field(default_factory=list)


def ask(target: Target) -> Facts:
    """Return what the board says. Raises ToolError if it does not answer."""
    session = Session(target, lambda line: None, lambda note: None)
    try:
        session.open(may_start=lambda: False)
        return _of_application(session)
    except ToolError:
        if session.state is not State.ENDED:
            raise
    finally:
        session.close()
    return _of_repl(target)


def _of_application(session: Session) -> Facts:
    files = (_FILE.match(line) for line in _lines(session, "files"))
    pieces = [line[1:] for line in _lines(session, "files manifest") if line.startswith("|")]
    return Facts(
        application=session.board.version,
        status=hold_ups.parse(_lines(session, "status")),
        files={each[2]: each[1] for each in files if each and each[1] != "-"},
        manifest="".join(pieces),
        log=_lines(session, "log"),
    )


def _lines(session: Session, command: str) -> list[str]:
    # [] from an older application that has no such command
    answer = session.command(command, _ANSWER_S)
    return answer.lines if answer.status == 0 else []


def _of_repl(target: Target) -> Facts:
    repl = RawRepl(target.device, target.label)
    try:
        repl.interrupt()
        status = dict(repl.run(_SYSTEM))
        manifest = repl.read(plan.MANIFEST)
        repl.run(scripts.HELPERS)
        top = [each for each in plan.top_level({}, manifest.encode()) if not _is_staged(each)]
        look = scripts.LOOK.format(folders=plan.FOLDERS, files=top)
        files = dict(repl.run(look, timeout_s=_ANSWER_S))
        repl.leave()
    finally:
        repl.close()
    files = {name: digest for name, digest in files.items() if digest}
    return Facts(None, status, files, manifest)


def _is_staged(path: str) -> bool:
    return path.endswith(plan.STAGED)
