"""Why a policy said no: AWS tells nobody, the local IoT Core writes it down."""

from __future__ import annotations

import logging
from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import replace, take


def policy_denials_told(context: Context) -> None:
    """Report each action the policies deny, with the resource they would have to name."""
    rule = "IoT policy"
    allows = take(rule, context.iot._WSSession, "_policy_allows", ("self", "action", "resource"))
    certificates = take(rule, context.iot, "_certificates")

    def policy_allows(session: Any, action: str, resource: str) -> bool:
        allowed = bool(allows(session, action, resource))
        if not allowed:
            record = certificates.get_scoped(
                session.account_id, session.region, session.certificate_id
            )
            why = _why(record or {}, session._policy_context)
            reason = f"{action} on {resource} is not allowed{why}"
            context.refuse(rule, reason, session, action=action, resource=resource)
        return allowed

    replace(context.iot._WSSession, "_policy_allows", policy_allows)


def _why(certificate: dict[str, Any], variables: dict[str, str]) -> str:
    if not certificate.get("attachedPolicies"):
        return ": no policy is attached to the certificate"
    policies = ", ".join(certificate["attachedPolicies"])
    if variables.get("iot:connection.thing.isattached") == "false":
        return (
            f" by {policies}; the certificate is not attached to a thing named as the client id, "
            "so ${iot:Connection.Thing.…} stands for nothing"
        )
    return f" by {policies}"


def broker_refusals_told(context: Context) -> None:
    """Report what MiniStack refuses by itself: certificates, reserved topics, broken packets."""
    rule = "broker refusals told"
    for name in ("_broker_logger", "_mtls_logger"):
        take(rule, context.iot, name).addFilter(_Warnings(context))


class _Warnings(logging.Filter):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def filter(self, record: logging.LogRecord) -> bool:
        # Policy denials are told, in more detail, where they are decided.
        message = record.getMessage()
        told = record.exc_info or "attached policies" in message
        if record.levelno == logging.WARNING and not told:
            self._context.refuse("MiniStack", message)
        return True
