"""The applications: where they are, what their first lines say, and what they are asked."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent


class Application:
    """A folder with an application in it."""

    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.file = next(folder.glob("app.*"))
        lines = []
        for line in self.file.read_text().splitlines():
            if not re.match(r"(//|#) ", line):
                break
            lines.append(re.sub(r"^(//|#) ", "", line))
        names, self.does = lines[0].split(": ", 1)
        self.packages = names.split(", ")
        said = dict(line.split(": ", 1) for line in lines[1:])
        self.interfaces = said["server"].split(", ")
        self.needs = said["needs"].split(", ") if "needs" in said else []
        self.requests = self.read_requests()

    @property
    def kind(self):
        return "pypi" if self.file.suffix == ".py" else "npm"

    def target(self, interface):
        """What servers for Python call it."""
        return f"app:{interface if len(self.interfaces) > 1 else 'app'}"

    def read_requests(self):
        common = json.loads((HERE / "requests.json").read_text())
        file = self.folder / "requests.json"
        own = json.loads(file.read_text()) if file.exists() else {}
        if isinstance(own, list):
            return own
        kept = [request for request in common if request["name"] not in own.get("without", [])]
        return kept + own.get("also", [])


def all_applications():
    return [Application(folder) for folder in sorted((HERE / "apps").iterdir()) if list(folder.glob("app.*"))]
