"""What a worker says of the broker: each trouble, but not many times a second."""

import logging

from streams.worker import SAY_AGAIN_SECONDS, BrokerTrouble


def trouble(sentence: str, at: float) -> logging.LogRecord:
    record = logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, sentence, (), None)
    record.created = at
    return record


def test_the_same_trouble_is_said_once_a_minute(caplog):
    handler = BrokerTrouble()
    for tenth in range(25):
        handler.handle(trouble("cannot connect to 1", 1000 + tenth / 10))
        handler.handle(trouble("cannot connect to 2", 1000 + tenth / 10))
    assert caplog.messages == ["Kafka: cannot connect to 1", "Kafka: cannot connect to 2"]
    handler.handle(trouble("cannot connect to 1", 1000 + SAY_AGAIN_SECONDS))
    assert len(caplog.messages) == 3
