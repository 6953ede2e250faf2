"""The timeline as a page that needs nothing else."""

import re
from dataclasses import replace
from datetime import UTC
from html.parser import HTMLParser
from xml.etree import ElementTree

from streams.timeline.page import PLOT_BOTTOM, PLOT_TOP, page
from tests.streams.timeline.days import RESET, a_week, learning
from tests.streams.ward import deviation


def drawing(html: str) -> ElementTree.Element:
    """The drawing; well-formed, or this raises."""
    return ElementTree.fromstring(re.search(r"<svg viewBox=\"0 0 960.*?</svg>", html, re.S)[0])


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == name]


def test_each_cry_that_has_a_sigma_is_drawn_with_its_mark_and_says_what_was_decided():
    root = drawing(page(a_week(), [], UTC))
    counts = {name: len(of_class(root, name)) for name in ("learned", "unusual", "refused")}
    assert counts == {"learned": 3, "unusual": 2, "refused": 1}
    titles = [title.text for title in root.iter("title")]
    assert "2023-11-18 22:13:20, 3 s, +4.2σ, p 0.002: held (deviant)" in titles


def test_cries_stand_where_their_sigma_and_time_are():
    cries = [deviation(0, sigma=4.0), deviation(50, sigma=0.5), deviation(100, sigma=-3.0)]
    places = [
        (float(dot.get("cx")), float(dot.get("cy")))
        for dot in of_class(drawing(page(cries, [], UTC)), "learned")
    ]
    assert places == [(56, PLOT_TOP), (500, (PLOT_TOP + PLOT_BOTTOM) / 2), (944, PLOT_BOTTOM)]


def test_bands_drift_minutes_and_acts_are_drawn():
    root = drawing(page(a_week(), [RESET], UTC))
    assert len(of_class(root, "band")) == len(of_class(root, "limit")) == 1
    (drift,) = of_class(root, "drifting")
    assert float(drift.get("width")) > 888 / 4
    assert len(of_class(root, "bar")) == 7
    assert max(float(bar.get("height")) for bar in of_class(root, "bar")) == 100
    assert len(of_class(root, "act")) == 1


def test_the_page_asks_for_nothing_and_says_that_it_is_no_medical_device():
    html = page(a_week(), [RESET], UTC)
    assert not re.search(r"https?:|src=|<script|@import|url\(", html)
    assert "not a medical device" in html


def test_what_people_wrote_is_text_and_nothing_else():
    evil = [deviation(0, infant="<script>1</script>", reason='"><b>')]
    html = page(evil, [RESET], UTC)
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;new&gt; lamp" in html
    HTMLParser().feed(html)
    drawing(html)


def test_a_page_of_one_cry_or_of_cries_without_a_sigma_can_be_drawn():
    for cries in ([deviation(0)], [learning(0)], [deviation(0, seconds=0.0)]):
        assert len(list(drawing(page(cries, [], UTC)))) > 5


def test_what_came_of_an_act_stands_beside_it():
    html = page(a_week(), [replace(RESET, outcome="begins anew; 9 cries let go")], UTC)
    assert "<td>begins anew; 9 cries let go</td>" in html
    assert "None" not in page(a_week(), [RESET], UTC)
