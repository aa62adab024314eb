"""The console's command `status`, in the manner of `commands`. Loaded for one."""

import gc
import time

from . import VERSION
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import App
    from .commands import Write


async def status(app: "App", write: "Write") -> None:
    """Show how things stand."""
    ms = app.log.uptime_ms()
    line = "link: %s for %d s" % (app.link.state, app.link.age_ms() // 1000)
    if app.link.state == "offline":
        left_ms = max(app.link.again - ms, 0)
        line += ", next attempt in %d s" % (left_ms // 1000)
    write(line)
    if app.link.trouble:
        write("last trouble: %s %s" % app.link.trouble)
    write("wifi: %s" % borrow("facts").wifi(app.config.wifi))
    write("thing: %s, client id %s" % (app.config.thing, app.config.client_id))
    write("endpoint: %s:%d" % (app.config.endpoint, app.config.port))
    job_id = app.executor.journal.entry.get("jobId")
    busy = ", working on %s" % job_id if job_id else ""
    write("executor: %s%s" % ("on" if app.executor.enabled else "off", busy))
    write("clock: %04d-%02d-%02d %02d:%02d:%02d UTC" % time.gmtime()[:6])
    where = (ms // 1000, ms % 1000, app.board.boots, app.board.cause)
    write("uptime: %d.%03d s, boot %d, %s" % where)
    before = borrow("crash").last_words()
    if before:
        write("before the reset: %s" % before)
    gc.collect()
    write("heap: %d bytes free" % gc.mem_free())
    borrow("facts").show(write)
    write("firmware: %s on %s" % (VERSION, app.board.name))
