"""Fixtures for all tests: a private cloud, private boards, devices, a state folder of their
own.
"""

from tests import environment  # noqa: F401  first
from tests.board_fixture import *  # noqa: F403
from tests.cloud_fixture import *  # noqa: F403
from tests.device_fixture import *  # noqa: F403
from tests.proxy import *  # noqa: F403
from tests.scripted_peer import *  # noqa: F403
