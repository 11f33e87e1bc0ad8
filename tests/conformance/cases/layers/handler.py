import both
import layered


def handler(event, context):
    return {"layered": layered.name, "both": both.name}
