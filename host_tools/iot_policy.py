"""Evaluates AWS IoT policy documents as the service does for a device with a certificate.

Pure. What the service does (developer guide, "AWS IoT Core policies", "Thing policy variables",
"Example of using policy variables"): a Deny wins over an Allow, nothing named is denied; `*` and
`?` are the only wildcards, MQTT's `+` and `#` stand for themselves; a variable without a value
makes its resource, or its condition, match nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = ("*", "?", "$")  # ${*} is a star that is no wildcard
_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
_IF_EXISTS = "IfExists"


class PolicyError(ValueError):
    """A document says something that is not evaluated here; the text tells what."""


@dataclass(frozen=True)
class Client:
    """Who connects: its client id, the things its certificate is attached to, and the common name
    of the certificate's subject, if it has one.
    """

    client_id: str
    attached_things: tuple[str, ...] = ()
    common_name: str | None = None

    def variables(self) -> dict[str, str]:
        """Return the policy variables that have a value, by their names in lower case.

        Those of the thing have one only if its name is the client id.
        """
        attached = self.client_id in self.attached_things
        known = {
            "iot:clientid": self.client_id,
            "iot:connection.thing.isattached": str(attached).lower(),
        }
        if self.common_name is not None:
            known["iot:certificate.subject.commonname"] = self.common_name
        if attached:
            known["iot:connection.thing.thingname"] = self.client_id
        return known


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, and by which statement that was decided: "JobsPolicy, statement 2",
    "" if none speaks of it.
    """

    allowed: bool
    by: str = ""


def decide(documents: Mapping[str, str], client: Client, action: str, resource: str) -> Decision:
    """Decide about `action`, "iot:Publish", on `resource`, an ARN; `documents`: name → text.

    Raises PolicyError for a document that is no policy or has what is not evaluated here.
    """
    variables = client.variables()
    allowed = Decision(False)
    for where, statement in _statements(documents):
        if not _applies(statement, variables, action, resource):
            continue
        if statement["Effect"] == "Deny":
            return Decision(False, where)
        allowed = allowed if allowed.allowed else Decision(True, where)
    return allowed


def _statements(documents: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, text in documents.items():
        try:
            found = _listed(json.loads(text)["Statement"])
        except (ValueError, KeyError, TypeError) as error:
            raise PolicyError(f"{name} is no policy document: {error!r}") from error
        for number, statement in enumerate(found, 1):
            where = f"{name}, statement {number}"
            _check(where, statement)
            yield where, statement


def _check(where: str, statement: Any) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"{where} is no statement with an Effect of Allow or Deny")
    unknown = statement.keys() - _ELEMENTS
    if unknown:  # NotAction, NotResource and Principal are none of an IoT policy's
        raise PolicyError(f"{where} has {', '.join(sorted(unknown))}, which is not evaluated here")


def _applies(
    statement: dict[str, Any], variables: Mapping[str, str], action: str, resource: str
) -> bool:
    actions = (str(each).lower() for each in _listed(statement.get("Action", [])))
    resources = (str(each) for each in _listed(statement.get("Resource", [])))
    return (
        any(matches(each, action.lower(), {}) for each in actions)
        and any(matches(each, resource, variables) for each in resources)
        and all(
            _holds(operator, key, _listed(wanted), variables)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def matches(pattern: str, text: str, variables: Mapping[str, str]) -> bool:
    """Say whether `text` matches `pattern`, variables filled in; values are no patterns."""
    wanted = _expression(pattern, variables)
    return wanted is not None and re.fullmatch(wanted, text, re.DOTALL) is not None


def _expression(pattern: str, variables: Mapping[str, str]) -> str | None:
    # the pattern as a regular expression, None if a variable has no value
    parts = _VARIABLE.split(pattern)  # text, name, text, name, …, text
    expression = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            expression += re.escape(part).replace(r"\*", ".*").replace(r"\?", ".")
        elif part in _LITERALS:
            expression += re.escape(part)
        elif part.lower() in variables:
            expression += re.escape(variables[part.lower()])
        else:
            return None
    return expression


def _holds(operator: str, key: str, wanted: list[Any], variables: Mapping[str, str]) -> bool:
    name = operator.rpartition(":")[2]  # ForAnyValue: and ForAllValues: come to the same for one
    optional, name = name.endswith(_IF_EXISTS), name.removesuffix(_IF_EXISTS)
    if name not in _OPERATORS:
        raise PolicyError(f"the condition operator {operator} is not evaluated here")
    ignores_case, is_pattern, negated = _OPERATORS[name]
    value = variables.get(key.lower())
    if value is None:
        return optional or negated
    found = any(_equal(str(each), value, ignores_case, is_pattern, variables) for each in wanted)
    return found != negated


def _equal(
    wanted: str, value: str, ignores_case: bool, is_pattern: bool, variables: Mapping[str, str]
) -> bool:
    if ignores_case:
        wanted, value = wanted.lower(), value.lower()
    if is_pattern:
        return matches(wanted, value, variables)
    # without wildcards: what is a pattern's star is written as the variable ${*}
    plain = re.sub(r"([*?])", r"${\1}", wanted)
    return matches(plain, value, variables)


# operator → (ignores case, has wildcards, is negated)
_OPERATORS = {
    "Bool": (True, False, False),
    "StringEquals": (False, False, False),
    "StringNotEquals": (False, False, True),
    "StringEqualsIgnoreCase": (True, False, False),
    "StringNotEqualsIgnoreCase": (True, False, True),
    "StringLike": (False, True, False),
    "StringNotLike": (False, True, True),
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
