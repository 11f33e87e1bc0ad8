"""Results of every kind. Each handler is made of one value or a function that makes it."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import types
import typing
import uuid


def gives(make):
    return lambda event, context: make()


Point = collections.namedtuple("Point", "x y")


class Typed(typing.NamedTuple):
    x: int
    y: str = "y"


class Color(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    TWO = 2


class Flags(enum.IntFlag):
    A = 1
    B = 2


class Word(str, enum.Enum):
    A = "a"


class Words(enum.StrEnum):
    A = "a"


@dataclasses.dataclass
class Data:
    x: int = 1


class Text(str):
    def __str__(self):
        return "other"

    __repr__ = __str__


class Int(int):
    def __str__(self):
        return "other"

    __repr__ = __str__


class Float(float):
    def __repr__(self):
        return "other"


class List(list):
    def __iter__(self):
        return iter(["iterated"])


class Dict(dict):
    def items(self):
        return [("from", "items")]


class Ordered(collections.OrderedDict):
    pass


class User(collections.UserDict):
    pass


class ForJson:
    def for_json(self):
        return "for_json"


class ToJson:
    def __json__(self):
        return "json"


class AsDict:
    def _asdict(self):
        return {"as": "dict"}


class AsDictNot:
    def _asdict(self):
        return 5


class AsDictFails:
    def _asdict(self):
        raise ValueError("no fields")


class AsDictAttribute:
    _asdict = 5


class Object:
    pass


class Key:
    def __str__(self):
        return "key"


class Iterable:
    def __iter__(self):
        return iter([1])


class Mapping(collections.abc.Mapping):
    def __getitem__(self, key):
        return 1

    def __iter__(self):
        return iter("a")

    def __len__(self):
        return 1


def cycle():
    value = []
    value.append(value)
    return value


def cycle_of_dicts():
    value = {}
    value["itself"] = value
    return value


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def deep_dicts(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


D = decimal.Decimal
_shared = [1]
VALUES = {
    "none": lambda: None,
    "true": lambda: True,
    "text": lambda: "text",
    "empty": lambda: "",
    "unicode": lambda: "é🙂\u2028\x7f\x00\t/",
    "quotes": lambda: 'a"b\\c\n\r\b\f\x1b',
    "surrogate": lambda: "\ud800",
    "surrogates_pair": lambda: "\ud83d\ude00",
    "surrogate_key": lambda: {"\udfff": 1},
    "bytes_": lambda: b"bytes",
    "bytes_binary": lambda: b"\x00\xff",
    "bytes_empty": lambda: b"",
    "bytearray_": lambda: bytearray(b"bytes"),
    "memoryview_": lambda: memoryview(b"bytes"),
    "bytes_subclass": lambda: type("Bytes", (bytes,), {})(b"sub"),
    "bytes_nested": lambda: {"a": b"bytes", "b": ["é".encode()]},
    "bytes_nested_invalid": lambda: [b"\xff"],
    "bytearray_nested": lambda: [bytearray(b"a")],
    "bytes_key": lambda: {b"key": 1},
    "bytes_key_invalid": lambda: {b"\xff": 1},
    "int": lambda: 5,
    "int_negative": lambda: -5,
    "int_big": lambda: 2**70,
    "int_huge": lambda: 10**4000,
    "int_too_huge": lambda: 10**5000,
    "float": lambda: 1.5,
    "float_whole": lambda: 1.0,
    "float_large": lambda: [1e16, 1e22, 123456789012345680.0, 1e-7, 5e-324, 1.7976931348623157e308],
    "float_negative_zero": lambda: -0.0,
    "nan": lambda: float("nan"),
    "infinity": lambda: [float("inf"), float("-inf")],
    "decimal_": lambda: D("1.10"),
    "decimal_exponent": lambda: [D("1E+3"), D("1e-10"), D("0E-8"), D("-0")],
    "decimal_nan": lambda: [D("NaN"), D("-NaN"), D("NaN123")],
    "decimal_snan": lambda: D("sNaN"),
    "decimal_infinity": lambda: [D("Infinity"), D("-Infinity")],
    "decimal_subclass": lambda: type("Money", (D,), {})("9.99"),
    "decimal_key": lambda: {D("1.5"): 1},
    "complex_": lambda: 1j,
    "fraction": lambda: fractions.Fraction(1, 2),
    "datetime_": lambda: datetime.datetime(2026, 1, 31),
    "date": lambda: {"when": datetime.date(2026, 1, 31)},
    "timedelta": lambda: datetime.timedelta(1),
    "set_": lambda: {1},
    "frozenset_": lambda: frozenset(),
    "tuple_": lambda: (1, "a", (2,)),
    "namedtuple": lambda: Point(1, [2]),
    "namedtuple_typed": lambda: [Typed(1)],
    "structseq": lambda: __import__("time").gmtime(0),
    "enum_": lambda: Color.RED,
    "enum_int": lambda: Number.TWO,
    "enum_flag": lambda: Flags.A | Flags.B,
    "enum_text": lambda: Word.A,
    "enum_words": lambda: Words.A,
    "enum_key": lambda: {Number.TWO: 1, Word.A: 2},
    "enum_key_plain": lambda: {Color.RED: 1},
    "dataclass": Data,
    "uuid_": lambda: uuid.UUID(int=1),
    "path": lambda: pathlib.PurePosixPath("/a"),
    "namespace": lambda: types.SimpleNamespace(a=1),
    "array_": lambda: array.array("i", [1]),
    "range_": lambda: range(3),
    "keys": lambda: {"a": 1}.keys(),
    "map_": lambda: [map(str, [1])],
    "deque": lambda: collections.deque([1]),
    "counter": lambda: collections.Counter("aab"),
    "defaultdict": lambda: collections.defaultdict(list, a=[1]),
    "ordered": lambda: Ordered(b=1, a=2),
    "chainmap": lambda: collections.ChainMap({"a": 1}),
    "proxy": lambda: types.MappingProxyType({"a": 1}),
    "user_dict": lambda: User(a=1),
    "user_list": lambda: collections.UserList([1]),
    "user_string": lambda: collections.UserString("a"),
    "mapping": Mapping,
    "iterable": Iterable,
    "text_subclass": lambda: Text("text"),
    "text_subclass_key": lambda: {Text("text"): 1},
    "int_subclass": lambda: Int(5),
    "int_subclass_key": lambda: {Int(5): 1},
    "float_subclass": lambda: Float(1.5),
    "float_subclass_key": lambda: {Float(1.5): 1},
    "list_subclass": lambda: List([1]),
    "dict_subclass": lambda: Dict(a=1),
    "tuple_subclass": lambda: type("Tuple", (tuple,), {})((1, 2)),
    "for_json": ForJson,
    "to_json": ToJson,
    "as_dict": AsDict,
    "as_dict_not": AsDictNot,
    "as_dict_fails": AsDictFails,
    "as_dict_attribute": AsDictAttribute,
    "object_": Object,
    "object_nested": lambda: {"a": [1, Object()]},
    "class_": lambda: Object,
    "function": lambda: gives,
    "module": lambda: [types],
    "exception": lambda: ValueError("v"),
    "ellipsis_": lambda: ...,
    "not_implemented": lambda: NotImplemented,
    "empty_containers": lambda: [{}, [], ()],
    "order": lambda: {"b": 1, "a": {"d": [1, 2], "c": None}},
    "keys_int": lambda: {1: "a", -5: "b", 2**70: "c"},
    "keys_float": lambda: {1.5: "a", 1e16: "b", float("inf"): "c", float("nan"): "d"},
    "keys_bool_none": lambda: {True: "a", False: "b", None: "c"},
    "keys_tuple": lambda: {(1, 2): "a"},
    "keys_object": lambda: {Key(): "a"},
    "keys_alike": lambda: {1: "a", "1": "b"},
    "keys_empty": lambda: {"": 1},
    "cycle": cycle,
    "cycle_of_dicts": cycle_of_dicts,
    "shared": lambda: [_shared, _shared],
    "deep_300": lambda: deep(300),
    "deep_dicts_300": lambda: deep_dicts(300),
    "deep_100000": lambda: deep(100_000),
    "generator": lambda: (number for number in range(2)),
    "generator_nested": lambda: {"a": (number for number in range(2))},
    "iterator": lambda: iter([1]),
    "coroutine": lambda: coroutine(),
    "file": lambda: open("/dev/null"),
    "context_": None,
}


async def coroutine():
    return "awaited"


for name, make in VALUES.items():
    if make is not None:
        globals()[name] = gives(make)


def context_(event, context):
    return context


def event_back(event, context):
    return event
