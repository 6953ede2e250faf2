import dataclasses
import json

import pytest

from streams.errors import Refusal, RefusedMessage
from streams.records.baseline_act import MAX_WHY, BaselineAct, is_act
from streams.records.cry_embedding import CryEmbedding
from streams.timeline.acts import ActKind
from tests.streams.records.test_records import embedding

ACT = BaselineAct("act-1", "infant-07f3", "baseline_rolled_back", 1_700_000_000_000, "nurse-4",
                  "another infant's bed", ("mon-1@7", "mon-1@9"))  # fmt: skip


def test_an_act_survives_and_lies_with_its_infants_cries():
    key, value, headers = ACT.encode()
    assert BaselineAct.decode(key, value, headers) == ACT
    assert key == embedding().encode()[0]


def test_an_act_is_told_from_a_cry():
    assert is_act(ACT.encode()[2])
    assert is_act(dict(ACT.encode()[2]))
    assert not is_act(embedding().encode()[2])
    assert not is_act(None)
    with pytest.raises(RefusedMessage, match="ce_type"):
        CryEmbedding.decode(*ACT.encode())
    with pytest.raises(RefusedMessage, match="ce_type"):
        BaselineAct.decode(*embedding().encode())


def test_acts_of_now_have_ids_of_their_own():
    first, second = (BaselineAct.now(ActKind.BASELINE_RESET, "i", "nurse-4") for _ in range(2))
    assert first.id != second.id
    assert (first.what, first.segments) == ("baseline_reset", ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"infant": "A Name"}, "infant 'A Name' is not"),
        ({"what": "alerts_silenced"}, "no such act"),
        ({"what": ["baseline_reset"]}, "no such act"),
        ({"at_ms": "now"}, "at_ms is not a whole number"),
        ({"who": ""}, "who is not of 1 to 128"),
        ({"who": 4}, "who is not one line"),
        ({"why": "a\nb"}, "why is not one line"),
        ({"why": "x" * (MAX_WHY + 1)}, "why is not of 0 to 1000"),
        ({"segments": ()}, "only a roll-back names segments"),
        ({"segments": (7,)}, "segments is not a list"),
        ({"segments": "mon-1@7"}, "segments is not a list"),
        ({"what": "baseline_reset"}, "only a roll-back names segments"),
    ],
)
def test_an_act_that_cannot_be_meant_is_refused(changes, said):
    with pytest.raises(RefusedMessage, match=said):
        dataclasses.replace(ACT, **changes)
    key, _, headers = ACT.encode()
    value = json.dumps(dataclasses.asdict(ACT) | changes).encode()
    with pytest.raises(RefusedMessage, match=said):
        BaselineAct.decode(key, value, headers)


def test_an_act_under_another_infants_key_is_refused():
    _, value, headers = ACT.encode()
    with pytest.raises(RefusedMessage, match="key") as refused:
        BaselineAct.decode(b"somebody", value, headers)
    assert refused.value.refusal is Refusal.ABSURD_HEADER


def test_on_the_timeline_stands_who_what_when_why_and_what_came_of_it():
    told = ACT.told("2 cries taken out")
    assert (told.id, told.infant, told.who, told.what, told.remark, told.outcome, told.at_ms) == (
        "act-1", "infant-07f3", "nurse-4", "baseline_rolled_back", "another infant's bed",
        "2 cries taken out", 1_700_000_000_000,
    )  # fmt: skip
