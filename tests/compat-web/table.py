"""Renders the page that tells which web applications work."""

import json
import pathlib
import re
from importlib import metadata

import asking
from hosts import NODE

HERE = pathlib.Path(__file__).resolve().parent
PAGE = "engines/core/docs/web-applications.md"
SERVERS = {"asgi": "uvicorn", "wsgi": "gunicorn", "node": "node", "fetch": "@hono/node-server"}


def version_of(cache, application, name):
    kind = application.kind
    if name == "node":
        return NODE
    if application.built:
        modules = cache / "built" / application.name / "node_modules"
        return json.loads((modules / name / "package.json").read_text())["version"]
    if kind == "npm":
        return json.loads((cache / "npm/node_modules" / name / "package.json").read_text())["version"]
    wanted = re.sub(r"[-_.]+", "-", name).lower()
    for found in metadata.distributions(path=[str(cache / "pypi/package")]):
        if re.sub(r"[-_.]+", "-", found.name).lower() == wanted:
            return found.version
    raise KeyError(name)


def result(record, reason):
    lines = asking.differences(record)
    if not lines:
        return "works"
    return reason or f"**differs**: {lines[0].split(':')[0]}"


def write(root, cache, pairs, records, otherwise):
    """Writes the page from what is recorded."""
    text = (HERE / "page.md").read_text()
    text += "\n| application | interface | beside | asked | result |\n| --- | --- | --- | --- | --- |\n"
    for application, interface in pairs:
        known = application.name if len(application.interfaces) == 1 else f"{application.name}-{interface}"
        server = SERVERS[interface]
        beside = f"{server} {version_of(cache, application, server)}"
        packages = ", ".join(f"{name} {version_of(cache, application, name)}" for name in application.packages)
        count = len(records[known]["stock"])
        cells = [f"{packages}: {application.does}", interface, beside, f"{count} requests"]
        text += f"| {' | '.join([*cells, result(records[known], otherwise.get(known))])} |\n"
    page = root / PAGE
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
