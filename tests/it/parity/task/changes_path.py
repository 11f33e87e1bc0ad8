import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/nested")
import module  # noqa: E402


def handler(event, context):
    return module.NAME
