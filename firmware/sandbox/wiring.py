"""Makes the application's parts and joins them. Loaded for that."""

from .executor import Executor
from .jobs import Jobs
from .journal import Journal
from .link import Link
from .station import Station

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App


def join(app: "App", context: "Any", built: int) -> None:
    """Give `app` its parts. `context` is TLS's, `built` the Unix time of the firmware's build."""
    config, log = app.config, app.log
    app.network = Station(config, built, log)
    app.link = Link(config, context, app.network.up, log)
    app.jobs = Jobs(app.link, log)
    app.executor = Executor(
        app.jobs,
        app.link,
        app.board,
        Journal(log),
        log,
        config.executor,
        app.link.disconnect,
        config,
        app.network,
    )
    app.link.on_online = app.on_online
    app.jobs.on_change = app.executor.wake
    app.jobs.on_event = app.on_event
