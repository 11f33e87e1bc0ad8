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


def version_of(cache, kind, name):
    if name == "node":
        return NODE
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
        name = application.name if len(application.interfaces) == 1 else f"{application.name}-{interface}"
        server = SERVERS[interface]
        beside = f"{server} {version_of(cache, application.kind, server)}"
        packages = ", ".join(f"{package} {version_of(cache, application.kind, package)}" for package in application.packages)
        count = len(records[name]["stock"])
        cells = [f"{packages}: {application.does}", interface, beside, f"{count} requests"]
        text += f"| {' | '.join([*cells, result(records[name], otherwise.get(name))])} |\n"
    text += "\n## Not tried\n\n"
    for name, reason in json.loads((HERE / "not-tried.json").read_text()).items():
        text += f"- {name}: {reason}\n"
    page = root / PAGE
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
