"""Fixtures for all tests: a private cloud, private boards, a state folder of their own."""

from tests.cloud_fixture import *  # noqa: F403
