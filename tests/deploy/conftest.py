"""Fixtures of the tests of what is deployed."""

from tests.deploy.servers import amtool, promtool

__all__ = ["amtool", "promtool"]
