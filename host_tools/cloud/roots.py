"""The Amazon root certificates a device needs to trust AWS IoT Core, out of the certifi package.

An `-ats` endpoint's certificate chains to Amazon Root CA 1 (RSA) or 3 (EC P-256), depending on
what the client offers; AWS advises devices to hold both (developer guide, "Server
authentication"). They are recognised by their SHA-256 fingerprints, so no certificate from
elsewhere can pass for one.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from pathlib import Path

from host_tools.errors import ToolError

# https://www.amazontrust.com/repository/
_FINGERPRINTS = {
    "Amazon Root CA 1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "Amazon Root CA 3": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
}
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----\n?", re.DOTALL)


def amazon_roots(bundle: Path | None = None) -> list[tuple[str, bytes]]:
    """Return Amazon Root CA 1 and 3 as (name, PEM), from certifi or another PEM bundle.

    Raises ToolError if one is not in it.
    """
    if bundle is None:
        import certifi

        bundle = Path(certifi.where())
    blocks = _PEM.findall(bundle.read_text(encoding="utf-8"))
    found = {
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest(): block for block in blocks
    }
    missing = [name for name, fingerprint in _FINGERPRINTS.items() if fingerprint not in found]
    if missing:
        raise ToolError(f"{bundle} does not hold {' and '.join(missing)}", "`make setup`")
    return [
        (name, found[fingerprint].encode("ascii")) for name, fingerprint in _FINGERPRINTS.items()
    ]
