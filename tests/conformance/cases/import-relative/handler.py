import lib.punctuation
from lib.greet import greet
from lib.punctuation import loads


def handler(event, context):
    assert lib.punctuation.loads == loads
    return {"text": greet(event), "loads": loads}
