"""What boto3 raises, as a ToolError that names the cause and the next step.

Error codes: botocore's models of `iot` and `sts`, and "Common errors" of the AWS API references.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from host_tools.errors import ToolError

_CREDENTIALS = "new credentials: `aws sso login`, or `aws configure`"
_LATER = "the same command in a minute; it goes on where it stopped"
_AGAIN = "the same command again; it looks first and goes on"

# code → what to do next; the service's own message tells the cause
_HINTS = {
    "ExpiredToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "AuthFailure": _CREDENTIALS,
    "SignatureDoesNotMatch": "the secret key of your AWS profile, and this computer's clock",
    "InvalidSignatureException": "the secret key of your AWS profile, and this computer's clock",
    "RequestExpired": "this computer's clock: it must be right to five minutes",
    "ForbiddenException": "ask for the missing permission, or another --profile",
    "Throttling": _LATER,
    "ThrottlingException": _LATER,
    "TooManyRequestsException": _LATER,
    "ServiceUnavailableException": _LATER,
    "InternalFailureException": _LATER,
    "ResourceAlreadyExistsException": _AGAIN,
    "VersionConflictException": _AGAIN,
    "ConflictingResourceUpdateException": _AGAIN,
    "DeleteConflictException": _AGAIN,
    "LimitExceededException": "a higher quota: AWS console, Service Quotas, AWS IoT Core",
    "VersionsLimitExceededException": "delete a policy version that nothing needs",
}
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedException")


class TryLaterError(ToolError):
    """The cloud does not answer, or not now; it may when it is asked again."""


@contextlib.contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what boto3 raises inside the block into a ToolError that says what to do,
    TryLaterError if waiting may be enough.
    """
    from botocore import exceptions

    try:
        yield
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise ToolError(
            f"no usable AWS credentials: {error}", "`aws configure`, or --profile NAME"
        ) from error
    except exceptions.ProfileNotFound as error:
        raise ToolError(str(error), "`aws configure list-profiles`") from error
    except (
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
        exceptions.CredentialRetrievalError,
    ) as error:
        raise ToolError(f"no AWS credentials: {error}", _CREDENTIALS) from error
    except exceptions.ClientError as error:
        raise _refused(error) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise TryLaterError(
            f"no answer from the cloud: {error}",
            "your network, or `jobs-sandbox cloud status`; then the same command again",
        ) from error
    except exceptions.BotoCoreError as error:
        raise ToolError(str(error)) from error


def is_denied(error: Any) -> bool:
    """Return whether botocore's ClientError says that the user may not do this."""
    return error.response.get("Error", {}).get("Code") in _DENIED


def _refused(error: Any) -> ToolError:
    details = error.response.get("Error", {})
    code, message = details.get("Code", "error"), details.get("Message", str(error))
    hint = _HINTS.get(code, "")
    if code in _DENIED:
        hint = f"ask for permission {_action(error.operation_name)}, or another --profile"
    kind = TryLaterError if hint == _LATER else ToolError
    return kind(f"{error.operation_name}: {code}: {message}", hint)


def _action(operation: str) -> str:
    # IAM's name of the action is the operation's, in what this project calls
    return f"sts:{operation}" if operation == "GetCallerIdentity" else f"iot:{operation}"
