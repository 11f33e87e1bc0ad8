from helper import nothing_of_the_kind


def handler(event, context):
    return nothing_of_the_kind
