"""The applications: where they are, what is said about them, and what they are asked.

Those in `apps` are a file whose first lines say it. Those in `built` are made by their framework first; their built.json says how,
and which file is the server.
"""

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

    built = None

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


class Built(Application):
    """A folder of which a framework makes a server."""

    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.built = json.loads((folder / "built.json").read_text())
        self.file = pathlib.Path(self.built["entry"])
        self.packages, self.does = self.built["packages"], self.built["does"]
        self.interfaces, self.needs = [self.built["server"]], []
        self.requests = self.read_requests()


def all_applications():
    """All of them, in the order of their names."""
    plain = [Application(folder) for folder in (HERE / "apps").iterdir() if list(folder.glob("app.*"))]
    built = [Built(folder) for folder in (HERE / "built").iterdir()]
    return sorted(plain + built, key=lambda application: application.name)
