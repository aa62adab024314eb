"""A thing's identity on this computer: key, certificate, roots and thing.json in things/<thing>/.

Files have mode 0600 and are written whole or not at all. thing.json is written last, so a folder
that has one is complete; one without is a provisioning that was cut short and can go on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from host_tools import paths
from host_tools.errors import ToolError, UsageError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey  # RSA: only if the user has one

_THING_NAME = re.compile(r"[a-zA-Z0-9:_-]{1,128}")  # botocore, iot, shape ThingName
_KEY, _CERTIFICATE = "private_key", "certificate"
_ENCODINGS = {"pem": serialization.Encoding.PEM, "der": serialization.Encoding.DER}


@dataclass(frozen=True)
class ThingIdentity:
    """What thing.json says. `cloud` is "local" or "aws", `endpoint` a host name."""

    thing: str
    thing_arn: str
    certificate_arn: str
    certificate_id: str
    policy: str
    endpoint: str
    port: int
    region: str
    account: str
    cloud: str

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return paths.thing_folder(self.thing)

    def as_dict(self) -> dict[str, str | int]:
        """Return what thing.json holds."""
        return asdict(self)

    def credentials(self) -> dict[str, bytes]:
        """Return what the board needs: file name in /credentials → DER bytes.

        Raises ToolError if a file is missing.
        """
        names = [f"{_KEY}.der", f"{_CERTIFICATE}.der"]
        names += sorted(path.name for path in self.folder.glob("root_ca_*.der"))
        try:
            return {name: (self.folder / name).read_bytes() for name in names}
        except OSError as error:
            raise ToolError(
                f"the credentials of {self.thing} are incomplete: {error}", _again(self.thing)
            ) from error


def check_thing_name(thing: str) -> None:
    """Raise UsageError unless `thing` can be a thing's name."""
    if not _THING_NAME.fullmatch(thing):
        raise UsageError(
            f"{thing!r} cannot be a thing's name",
            "1 to 128 of the characters a-z A-Z 0-9 : _ -",
        )


def identity(thing: str) -> ThingIdentity:
    """Return the identity of a provisioned thing; ToolError if there is none or it is damaged."""
    check_thing_name(thing)
    found = read(thing)
    if found is None:
        raise ToolError(f"thing {thing} has no identity on this computer", _again(thing))
    return found


def read(thing: str) -> ThingIdentity | None:
    """Return what thing.json says, None if there is none; ToolError if it is damaged."""
    path = paths.thing_folder(thing) / "thing.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        found = ThingIdentity(**{field.name: known[field.name] for field in fields(ThingIdentity)})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(
            f"{path} is damaged: {error!r}", f"rm '{path}', then {_again(thing)}"
        ) from error
    if found.thing != thing:  # a file system that takes upper and lower case for the same
        raise ToolError(f"{path.parent} belongs to thing {found.thing}", "another thing name")
    return found


def provisioned() -> list[str]:
    """Return the names of the things with an identity on this computer, sorted."""
    folders = [path.parent for path in _things().glob("*/thing.json")]
    return sorted(folder.name.replace("=", ":") for folder in folders)


def private_key(thing: str) -> PrivateKey | None:
    """Return the thing's key, None if it has none; ToolError if the file is damaged."""
    path = paths.thing_folder(thing) / f"{_KEY}.pem"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ToolError(
            f"{path} is damaged: {error}", f"rm '{path}', then {_again(thing)}"
        ) from error
    if not isinstance(key, PrivateKey):
        raise ToolError(
            f"{path} is neither an EC nor an RSA key", f"rm '{path}', then {_again(thing)}"
        )
    return key


def make_private_key(thing: str) -> ec.EllipticCurvePrivateKey:
    """Make an EC P-256 key and keep it, as PEM and DER (PKCS #8)."""
    key = ec.generate_private_key(ec.SECP256R1())
    keep_private_key(thing, key)
    return key


def keep_private_key(thing: str, key: PrivateKey) -> None:
    """Keep a key as PEM and DER."""
    for suffix, encoding in _ENCODINGS.items():
        content = key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        keep(thing, f"{_KEY}.{suffix}", content)


def certificate(thing: str) -> x509.Certificate | None:
    """Return the thing's certificate, None if it has none or the file is damaged."""
    try:
        content = (paths.thing_folder(thing) / f"{_CERTIFICATE}.pem").read_bytes()
        return x509.load_pem_x509_certificate(content)
    except (FileNotFoundError, ValueError):
        return None


def keep_certificate(thing: str, pem: bytes) -> None:
    """Keep a certificate as PEM and DER."""
    keep(thing, f"{_CERTIFICATE}.pem", pem)
    keep(thing, f"{_CERTIFICATE}.der", _der(pem))


def keep_roots(thing: str, roots: list[tuple[str, bytes]]) -> None:
    """Keep the roots the device must trust, given as (name, PEM); their number is in the name.

    Amazon Root CA 3 becomes root_ca_3.der; a name without a number counts as 1.
    """
    names = set()
    for name, pem in roots:
        number = re.search(r"(\d+)$", name)
        names.add(f"root_ca_{number[1] if number else 1}.der")
        keep(thing, f"root_ca_{number[1] if number else 1}.der", _der(pem))
    keep(thing, "root_ca.pem", b"".join(pem.rstrip() + b"\n" for _, pem in roots))
    for path in paths.thing_dir(thing).glob("root_ca_*.der"):
        if path.name not in names:
            path.unlink()


def keep_identity(made: ThingIdentity) -> None:
    """Write thing.json."""
    keep(made.thing, "thing.json", json.dumps(made.as_dict(), indent=2).encode() + b"\n")


def forget_identity(thing: str) -> None:
    """Remove thing.json: what else is in the folder is no longer known to be good."""
    (paths.thing_folder(thing) / "thing.json").unlink(missing_ok=True)


def remove_files(thing: str) -> None:
    """Remove the key and all else that this module wrote for a thing, thing.json first."""
    forget_identity(thing)
    folder = paths.thing_folder(thing)
    for pattern in (f"{_KEY}.*", f"{_CERTIFICATE}.*", "root_ca*", "request.pem"):
        for path in folder.glob(pattern):
            path.unlink()


def certificate_id(found: x509.Certificate) -> str:
    """Return AWS IoT's id of a certificate: the SHA-256 of its DER form, in hex."""
    return hashlib.sha256(found.public_bytes(serialization.Encoding.DER)).hexdigest()


def keep(thing: str, name: str, content: bytes) -> None:
    """Write a file of the thing's folder, mode 0600, whole or not at all; unless it is so."""
    path = paths.thing_dir(thing) / name
    if path.is_file() and path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == content:
        return
    temporary = path.with_name(f".{name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _things() -> Path:
    return paths.home() / "things"


def _der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def _again(thing: str) -> str:
    return f"`jobs-sandbox provision {thing}`"
