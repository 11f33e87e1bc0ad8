from . import punctuation
from .punctuation import END


def greet(name):
    return f"Hello{punctuation.SEPARATOR} {name}{END}"
