"""Holds a dashboard's JSON against the types that Grafana's SDK generates from Grafana's schema.

The SDK itself checks nothing when it reads. So each object that it reads is walked here: every
value must be of the type that its field is declared with, enumerations included, and writing it
again must give the same JSON, which it does not where Grafana knows no such field.
"""

import enum
import json
import sys
import types
import typing
from collections.abc import Iterator

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

register_default_plugins()
SDK = "grafana_foundation_sdk"
# Grafana reads these too, but its generated schema leaves data sources' own fields out.
BEYOND = {"titleFormat", "textFormat", "tagKeys", "useValueForTime", "step"}
SQL = {"editorMode", "format", "rawQuery", "rawSql", "refId", "datasource"}


def faults(page: dict) -> list[str]:
    """What is wrong with a dashboard, one sentence each; empty if nothing is."""
    known = without_extras(page)
    return [
        *unfit_values(Dashboard.from_json(known), "dashboard"),
        *unknown_fields(known, Dashboard),
    ]


def unknown_fields(known: dict, kind: type) -> list[str]:
    """What an SDK class loses of a JSON object."""
    again = json.loads(json.dumps(kind.from_json(known), cls=JSONEncoder))
    return list(differences(known, again, kind.__name__.lower()))


def without_extras(page: dict) -> dict:
    """The dashboard without what the SDK has no field for, after a look at just that."""
    page = json.loads(json.dumps(page))
    for annotation in page["annotations"]["list"]:
        for name in BEYOND:
            annotation.pop(name, None)
        if "target" in annotation:
            assert set(annotation.pop("target")) == SQL
    for panel in page["panels"]:
        for target in panel.get("targets", ()):
            if "rawSql" in target:
                assert set(target) == SQL
    return page


def differences(one: object, other: object, where: str) -> Iterator[str]:
    """Where two JSON values differ, except for defaults that only `other` has."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name, value in one.items():
            if name not in other:
                yield f"{where}.{name} is not known to Grafana"
            else:
                yield from differences(value, other[name], f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif one != other:
        yield f"{where} is {one!r}, read as {other!r}"


def unfit_values(read: object, where: str) -> Iterator[str]:
    """The fields of an SDK object, and of all in it, whose values are not of their type."""
    for name, kind in typing.get_type_hints(
        type(read), vars(sys.modules[type(read).__module__])
    ).items():
        value = getattr(read, name)
        if not fits(value, kind):
            yield f"{where}.{name} is {value!r}, not {kind}"
        yield from _inside(value, f"{where}.{name}")


def _inside(value: object, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _inside(item, f"{where}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _inside(item, f"{where}.{name}")
    elif type(value).__module__.startswith(SDK) and not isinstance(value, enum.Enum):
        yield from unfit_values(value, where)


def fits(value: object, kind: object) -> bool:
    """Whether a value is of a declared type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in (typing.Any, object):
        return True
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is list:
        return isinstance(value, list) and all(fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(item, inner[1]) for item in value.values())
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return value in {member.value for member in kind}
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, dict) and hasattr(kind, "from_json"):
        # The SDK leaves some objects, links among them, as it found them.
        return not [*unfit_values(kind.from_json(value), ""), *unknown_fields(value, kind)]
    return isinstance(value, kind)
