"""Renders the pages that tell which packages work."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
PAGES = {"npm": "engines/js/docs/packages.md", "pypi": "engines/python/docs/packages.md"}


def version_of(kind, cache, name):
    """The installed version of a package."""
    if kind == "npm":
        return json.loads((cache / "npm/node_modules" / name / "package.json").read_text())["version"]
    wanted = re.sub(r"[-_.]+", "-", name).lower()
    for line in (HERE / "pypi/constraints.txt").read_text().splitlines():
        known, _, version = line.partition("==")
        if re.sub(r"[-_.]+", "-", known).lower() == wanted:
            return version
    raise KeyError(f"{name} is not in constraints.txt")


def row(kind, cache, case, differs, reason):
    result = "works" if not differs else reason or "**differs**"
    return [f"| {name} | {version_of(kind, cache, name)} | {case.does} | {result} |" for name in case.packages]


def write(root, cache, kind, runtime, cases, records, otherwise, differences):
    """Writes the page of one registry from what is recorded."""
    titles = json.loads((HERE / "groups.json").read_text())
    cases = [case for case in cases if case.id in records]
    if not cases:
        return
    differing = {case.id for case in cases if differences(records[case.id])}
    names = {name for case in cases for name in case.packages}
    good = {name for case in cases if case.id not in differing for name in case.packages}
    text = (HERE / f"{kind}.md").read_text().format(packages=len(names), works=len(good), runtime=runtime)
    for group in dict.fromkeys(case.group for case in cases):
        text += f"\n## {titles[group]}\n\n| package | version | what it did | result |\n| --- | --- | --- | --- |\n"
        for case in cases:
            if case.group == group:
                text += "\n".join(row(kind, cache, case, case.id in differing, otherwise.get(case.id))) + "\n"
    page = root / PAGES[kind]
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
