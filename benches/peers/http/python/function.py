"""Answers JSON with the same JSON, the way the Functions Framework suggests: what is returned becomes JSON."""


def echo(request):
    return request.get_json()
