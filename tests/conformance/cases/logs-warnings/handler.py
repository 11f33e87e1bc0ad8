import warnings


def handler(event, context):
    warnings.warn("old fashioned")
