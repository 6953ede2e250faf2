"""Numbers agree with their nouns."""

from streams.words import counted, cries


def test_one_is_one_and_all_others_are_several():
    assert [counted(number, "day") for number in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
    assert [cries(number) for number in (0, 1, 2)] == ["0 cries", "1 cry", "2 cries"]
