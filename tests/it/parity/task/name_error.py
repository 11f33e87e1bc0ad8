def handler(event, context):
    return 1


undefined_name  # noqa: B018, F821
