"""The rules' hold on MiniStack: a seam that is gone or changed is named, and nothing starts."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from host_tools import paths
from host_tools.cloud.rules.subscriptions import fast_topic_matching
from host_tools.cloud.settings import VERSION

# For each seam that a rule takes: break it in two ways, apply the rule, note what it says, mend
# it.
_SCRIPT = """
import json, sys
from pathlib import Path
from host_tools.cloud import rules, state
from host_tools.cloud.rules import RULES, connections, packets, seam, session
from host_tools.cloud.rules.context import Context
from host_tools.cloud.settings import Settings

folder = Path(sys.argv[1])
settings = Settings(folder, 1, 2, 3, 4, 5)
links = session.Links(30)
appliers = {rule.__name__: rule for rule in RULES}
appliers["guard_packets"] = packets.guard_packets
appliers["keep_alive"] = lambda context: connections.keep_alive(context, links)
appliers["state"] = lambda context: state.StateKeeper(folder).install()
modules = [module for name, module in sys.modules.items() if name.startswith("host_tools.cloud")]
taken = []

def recording(rule, owner, name, parameters=None):
    taken.append((owner, name, parameters))
    return seam_take(rule, owner, name, parameters)

def patch(function):
    for module in modules:
        if hasattr(module, "take"):
            module.take = function

def complaint(apply, context):
    try:
        apply(context)
    except seam.MissingSeamError as error:
        return str(error)
    return None

seam_take = seam.take
said = []
for rule, apply in appliers.items():
    context = Context(settings, lambda: None)
    taken.clear()
    patch(recording)
    apply(context)
    patch(seam_take)
    for owner, name, parameters in list(taken):
        if not isinstance(owner, type(sys)) and not isinstance(owner, type):
            continue  # an instance: made anew each time
        found = getattr(owner, name)
        delattr(owner, name)
        said.append([rule, name, "does not exist", complaint(apply, context)])
        if parameters is not None:
            setattr(owner, name, lambda other: None)
            said.append([rule, name, "has the parameters", complaint(apply, context)])
        setattr(owner, name, found)
print(json.dumps(said))
"""


def test_the_installed_ministack_is_the_one_the_rules_are_written_for() -> None:
    assert importlib.metadata.version("ministack") == VERSION


def test_every_seam_that_is_gone_or_changed_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path)],
        cwd=paths.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert len(said) > 60
    assert len({rule for rule, _, _, _ in said}) == 17
    for rule, name, problem, message in said:
        assert message is not None, f"{rule} does not notice that {name} {problem}"
        assert f"{name} {problem}" in message
        assert "cannot be applied" in message
        assert f"in ministack {VERSION}" in message


def test_fast_matching_matches_what_ministack_matches() -> None:
    levels = ["a", "b", "+", "#", "", "$aws"]
    filters = [
        "/".join(words) for size in (1, 2, 3) for words in itertools.product(levels, repeat=size)
    ]
    topics = [topic for topic in filters if not set("+#") & set(topic)]
    filters = [topic for topic in filters if "#" not in topic.split("/")[:-1]]  # refused before
    filters += ["$aws/events/#", "+/events/x", "#"]
    topics += ["$aws/events/x", "a/b/a/b"]
    original = _ministack()
    fast = SimpleNamespace(**vars(original))
    fast_topic_matching(SimpleNamespace(iot=fast))  # type: ignore[arg-type]
    assert fast._subscription_matches is not original._subscription_matches
    matched = 0
    for topic_filter, topic in itertools.product(filters, topics):
        expected = original._subscription_matches(topic_filter, topic)
        assert fast._subscription_matches(topic_filter, topic) == expected, (topic_filter, topic)
        matched += expected
    assert matched > 1000


def _ministack() -> Any:
    return importlib.import_module("ministack.services.iot")
