# attrs, cattrs, dacite, typeguard: classes from declarations, made of dictionaries
import attrs
import cattrs
import dacite
import typeguard
from dataclasses import dataclass


@attrs.define(frozen=True)
class Point:
    x: int = attrs.field(converter=int, validator=attrs.validators.ge(0))
    tags: list[str] = attrs.field(factory=list)


@dataclass
class Line:
    a: int
    b: int | None = None


@typeguard.typechecked
def double(n: int) -> int:
    return 2 * n


def handler(event, context):
    try:
        Point(-1)
    except ValueError as error:
        wrong = str(error)[:30]
    try:
        double("x")
    except typeguard.TypeCheckError as error:
        refused = type(error).__name__
    return [
        attrs.asdict(Point("3", ["a"])),
        wrong,
        cattrs.unstructure(cattrs.structure({"x": "4"}, Point)),
        dacite.from_dict(Line, {"a": 1}).b,
        refused,
        hash(Point(1, ())) == hash(Point(1, ())),
    ]
