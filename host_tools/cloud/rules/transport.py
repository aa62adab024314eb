"""TLS as AWS IoT Core does it: a client certificate and a server name, or no connection."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import replace, take


def client_certificate_required(context: Context) -> None:
    """Refuse a client without a certificate in the TLS handshake.

    AWS: port 8883 is MQTT with X.509 client certificates (developer guide, "Device communication
    protocols"). MiniStack asks for a certificate but serves everything to who has none.
    """
    rule = "client certificate required"
    build = take(rule, context.iot, "_mtls_build_ssl_context", ())

    def build_ssl_context() -> Any:
        tls = build()
        tls.verify_mode = ssl.CERT_REQUIRED
        return tls

    replace(context.iot, "_mtls_build_ssl_context", build_ssl_context)


def server_name_required(context: Context) -> None:
    """Refuse a TLS handshake whose server name (SNI) is missing or not one of this endpoint's.

    AWS: "clients must send the SNI extension … with the complete endpoint address" (developer
    guide, "Transport security in AWS IoT Core"). MiniStack does not look.
    """
    rule = "server name required"
    hello = take(rule, context.iot, "_mtls_on_client_hello", ("ssl_object", "server_name", "ctx"))
    names = take(rule, context.iot, "_mtls_server_cert_sans", ())

    def on_client_hello(
        ssl_object: Any, server_name: str | None, tls: ssl.SSLContext
    ) -> int | None:
        hello(ssl_object, server_name, tls)
        if server_name and any(_matches(server_name.lower(), name) for name in names()[0]):
            return None
        what = (
            f"the server name {server_name!r} is not this endpoint"
            if server_name
            else "no server name"
        )
        context.refuse(rule, f"{what} in the TLS handshake (SNI)")
        return ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    replace(context.iot, "_mtls_on_client_hello", on_client_hello)


def _matches(name: str, pattern: str) -> bool:
    # A certificate's `*` stands for one label.
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:].lower()
    return name == pattern.lower()


def tls_refusals_told(context: Context) -> None:
    """Report why a TLS handshake failed, whichever side ended it. AWS does not tell."""
    logger = take("TLS refusals told", context.iot, "_mtls_logger")
    logger.setLevel(logging.DEBUG)  # handshake failures are logged on this level
    logger.addFilter(_TlsFailures(context))


# By the server name rule; not at all, as the client just left.
_TOLD_ELSEWHERE = ("CALLBACK_FAILED", "UNEXPECTED_EOF_WHILE_READING", None)
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client sent no certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust this server's CA (ca.pem of this cloud)",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the client refused this server's certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "to the client this server's certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the client refused this server's certificate",
}


class _TlsFailures(logging.Filter):
    """Sees every record of MiniStack's TLS logger, reports TLS errors, hides the debug lines."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.args[0] if isinstance(record.args, tuple) and record.args else None
        # CALLBACK_FAILED: refused by the server name rule, and told there; EOF: the client just
        # left
        if isinstance(error, ssl.SSLError) and error.reason not in _TOLD_ELSEWHERE:
            self._context.refuse("TLS", self._explain(error))
        return record.levelno > logging.DEBUG

    def _explain(self, error: ssl.SSLError) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the client's certificate is not acceptable: {error.verify_message}"
        return _REASONS.get(error.reason, str(error))
