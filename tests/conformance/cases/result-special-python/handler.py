import collections
import dataclasses
import datetime
import decimal
import enum
import uuid


class Digit(enum.IntEnum):
    SEVEN = 7


class Color(str, enum.Enum):
    RED = "red"


class Settings(dict):
    pass


class Row(list):
    pass


class Shown(list):
    def __iter__(self):
        return (f"item {number}" for number in super().__iter__())


class ShownTuple(tuple):
    def __iter__(self):
        return (f"item {number}" for number in super().__iter__())


@dataclasses.dataclass
class Point:
    x: int = 1


RESULTS = {
    "tuple": lambda: (1, (2,)),
    "namedtuple": lambda: collections.namedtuple("Pair", "x y")(1, 2),
    "decimal": lambda: {"price": decimal.Decimal("1.10")},
    "int_enum": lambda: Digit.SEVEN,
    "str_enum": lambda: Color.RED,
    "nan": lambda: [float("nan"), float("inf"), -float("inf")],
    "bytes": lambda: b"\x00\xff",
    "nested_bytes": lambda: ["é".encode()],
    "dict_subclass": lambda: Settings(a=1),
    "list_subclass": lambda: Row([1]),
    "list_own_iteration": lambda: [Shown([1, 2])],
    "tuple_own_iteration": lambda: ShownTuple((1,)),
    "keys": lambda: {1: "int", 2.5: "float", None: "none", False: "bool"},
    "big": lambda: 2**70,
    "set": lambda: {1},
    "dataclass": lambda: Point(),
    "datetime": lambda: datetime.datetime(2026, 1, 31),
    "uuid": lambda: uuid.UUID(int=1),
    "tuple_key": lambda: {(1, 2): 3},
    "generator": lambda: [(x for x in [1])],
    "surrogate": lambda: "\ud800",
}


def handler(event, context):
    return RESULTS[event]()
