from . import sibling
from .sibling import VALUE


def handler(event, context):
    return [__name__, __package__, VALUE, sibling.__name__]
