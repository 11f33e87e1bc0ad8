import beside
import extra_module
import vendored
from namespace.part import name as part
from vendored.inner import relative


def handler(event, context):
    return {
        "beside": beside.name,
        "vendored": vendored.name,
        "relative": relative(),
        "pth": extra_module.name,
        "namespace": part,
    }
