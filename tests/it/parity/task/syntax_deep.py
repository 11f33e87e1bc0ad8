import syntax_error_text


def handler(event, context):
    return syntax_error_text
