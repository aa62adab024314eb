"""What AWS IoT Core does and MiniStack does not: one small function per rule.

Each replaces a private name of MiniStack from outside, after checking that it is still there with
the same parameters (`seam`); the docstring says what AWS does and where that is written. A later
rule wraps what an earlier one put in place.
"""

from __future__ import annotations

from collections.abc import Callable

from host_tools.cloud.rules import (
    administration,
    connections,
    jobs,
    packets,
    policies,
    subscriptions,
    timeouts,
    transport,
)
from host_tools.cloud.rules.context import Context, Sweep
from host_tools.cloud.rules.seam import MissingSeamError
from host_tools.cloud.settings import Settings

__all__ = ["RULES", "MissingSeamError", "Sweep", "apply_rules"]

RULES: tuple[Callable[[Context], None], ...] = (
    transport.client_certificate_required,
    transport.server_name_required,
    transport.tls_refusals_told,
    connections.certificate_stays_active,
    policies.policy_denials_told,
    policies.broker_refusals_told,
    subscriptions.fast_topic_matching,
    jobs.in_progress_first,
    jobs.status_details_limits,
    jobs.rollouts_run_by_the_minute,
    timeouts.step_timeout,
    timeouts.time_outs_expire,
    jobs.overtaking_is_notified,
    administration.no_reset_over_http,
)


def apply_rules(settings: Settings, touch: Callable[[], None]) -> list[Sweep]:
    """Apply every rule to MiniStack and return the sweeps. Raises MissingSeamError."""
    context = Context(settings, touch)
    links = packets.guard_packets(context)
    connections.keep_alive(context, links)
    for rule in RULES:
        rule(context)
    return context.sweeps
