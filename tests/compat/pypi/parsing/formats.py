# pyyaml, ruamel.yaml, orjson, ujson, simplejson, xmltodict, toml, tomli-w, jmespath, jsonpath-ng: formats both ways, queries
import datetime
import io
import jmespath
import orjson
import ruamel.yaml
import simplejson
import toml
import tomli_w
import ujson
import xmltodict
import yaml
from decimal import Decimal
from jsonpath_ng.ext import parse

TEXT = "a: &x [1, 2.5, é]\nb: *x  # comment\nc: {d: null}\n"
DATA = {"pets": [{"n": 1, "k": "cat"}, {"n": 2, "k": "dog"}]}


def handler(event, context):
    round_trip, sink = ruamel.yaml.YAML(), io.StringIO()
    loaded = round_trip.load(TEXT)
    loaded["c"]["d"] = 1
    round_trip.dump(loaded, sink)
    return [
        yaml.safe_load(TEXT),
        yaml.dump({"a": [1, None]}),
        yaml.__with_libyaml__,
        sink.getvalue(),
        orjson.dumps({"at": datetime.datetime(2026, 1, 1), "b": "é"}, option=orjson.OPT_SORT_KEYS).decode(),
        ujson.dumps({"a": "é"}),
        simplejson.dumps({"d": Decimal("1.10")}),
        xmltodict.parse('<a x="1"><b>c</b><b>d</b></a>'),
        toml.loads("[a]\nb = 1"),
        tomli_w.dumps({"a": {"b": [1]}}),
        jmespath.search("pets[?k=='dog'].n | [0]", DATA),
        [match.value for match in parse("$..pets[?n > 1].k").find(DATA)],
    ]
