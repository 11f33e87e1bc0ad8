from one import early, late, total


def handler(event, context):
    return {"early": early, "late": late(), "sum": total()}
