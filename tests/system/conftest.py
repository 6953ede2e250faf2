"""Fixtures that every system test may use."""

from tests.system.brokers import apache_kafka, broker, embedded_broker

__all__ = ["apache_kafka", "broker", "embedded_broker"]
