"""Reaching Kafka: connections, consumers, offsets, topics; and a broker of our own for trials."""
