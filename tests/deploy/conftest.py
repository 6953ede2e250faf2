"""Fixtures of the tests of what is deployed."""

from tests.deploy.servers import alertmanager, amtool, promtool

__all__ = ["alertmanager", "amtool", "promtool"]
