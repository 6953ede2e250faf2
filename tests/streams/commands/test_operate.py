"""`vagitus topics` on the embedded broker, which has its topics from its start."""


def test_where_all_topics_exist_nothing_is_created(vagitus_there):
    assert vagitus_there("topics", "create") == (0, "All topics exist.\n", "")


def test_topics_that_the_embedded_broker_was_not_started_with_are_told(vagitus, broker):
    status, page, errors = vagitus("topics", "create", "--broker", broker.address)
    assert (status, page, len(errors.splitlines())) == (1, "", 1)
    assert "start it with the settings" in errors
