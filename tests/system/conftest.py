"""Fixtures that every system test may use."""

from tests.system.brokers import apache_kafka, broker, embedded_broker
from tests.system.guarded import guarded_kafka
from tests.system.postgres import own_postgres, postgres

__all__ = ["apache_kafka", "broker", "embedded_broker", "guarded_kafka", "own_postgres", "postgres"]
