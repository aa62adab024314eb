"""MiniStack's own doors that nobody needs a key for."""

from __future__ import annotations

from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import replace, take


def no_reset_over_http(context: Context) -> None:
    """Refuse MiniStack's reset and configuration requests: any web page could send one.

    Not a rule of AWS, which has no such thing. A reset erases everything and makes a new CA, so
    every board would have to be provisioned again; who wants that stops the cloud and removes its
    folder.
    """
    rule = "no reset over HTTP"
    take(rule, context.app, "_handle_admin_reset", ("path", "method", "query_params"))
    take(rule, context.app, "_handle_admin_config_request", ("path", "method", "body"))

    async def refuse_reset(path: str, method: str, query_params: Any) -> Any:
        return _refusal(path) if path == "/_ministack/reset" else None

    async def refuse_config(path: str, method: str, body: bytes) -> Any:
        return _refusal(path) if path == "/_ministack/config" else None

    replace(context.app, "_handle_admin_reset", refuse_reset)
    replace(context.app, "_handle_admin_config_request", refuse_config)


def _refusal(path: str) -> tuple[int, dict[str, str], bytes]:
    return 403, {"Content-Type": "text/plain"}, f"{path} is closed in the Jobs Sandbox\n".encode()
