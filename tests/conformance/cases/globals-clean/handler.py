import builtins
import sys

OWN = ("_trine", "_request")


def handler(event, context):
    return [
        name
        for name in OWN
        if hasattr(builtins, name) or name in globals() or hasattr(sys.modules["__main__"], name)
    ]
