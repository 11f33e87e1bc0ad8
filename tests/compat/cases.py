"""The functions that work with packages: where they are, and what their first lines say.

The first line is a comment: `// PACKAGE, PACKAGE: what is done with them`. Comments right after it may say `needs:` with the
servers that it talks to, and `set:` with variables, NAME=VALUE, one a line; {folder} is the function's own, and other names in
braces are variables that are set already. A folder with an `index` or `app` is a function of several files.
"""

import dataclasses
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent


# What the frameworks with decorators tell their users to set.
TSCONFIG = '{"compilerOptions": {"experimentalDecorators": true, "emitDecoratorMetadata": true, "module": "commonjs"}}'


@dataclasses.dataclass
class Language:
    """What differs between registries."""

    harness: str
    entry: str
    endings: tuple


LANGUAGES = {
    "npm": Language("harness.mjs", "index", (".mjs", ".cjs", ".js", ".ts")),
    "pypi": Language("harness.py", "app", (".py",)),
}


class Case:
    """A function."""

    def __init__(self, kind, group, path):
        self.kind, self.group, self.path = kind, group, path
        self.name = path.stem if path.is_file() else path.name
        self.id = f"{kind}/{group}/{self.name}"
        language = LANGUAGES[kind]
        if path.is_file():
            self.main = path
        else:
            self.main = next(
                path / f"{language.entry}{ending}"
                for ending in language.endings
                if (path / f"{language.entry}{ending}").is_file()
            )
        self.entry = language.entry + self.main.suffix
        comments = []
        for line in self.main.read_text().splitlines():
            if not re.match(r"(//|#) ", line):
                break
            comments.append(re.sub(r"^(//|#) ", "", line))
        names, self.does = comments[0].split(": ", 1)
        self.packages = names.split(", ")
        self.needs = [need for line in comments if line.startswith("needs: ") for need in line[7:].split(", ")]
        self.variables = dict(line[5:].split("=", 1) for line in comments if line.startswith("set: "))

    def files(self):
        """Names and texts of its files, as they are laid."""
        if self.path.is_file():
            settings = [("tsconfig.json", TSCONFIG)] if self.path.suffix == ".ts" else []
            return [(self.entry, self.path.read_text()), *settings]
        return [(file.name, file.read_text()) for file in sorted(self.path.iterdir()) if file.is_file()]

    def text(self):
        return "".join(name + text for name, text in self.files())


def all_cases():
    """All of them, in order."""
    cases = []
    for kind, language in LANGUAGES.items():
        for group in sorted(path for path in (HERE / kind).iterdir() if path.is_dir() and path.name != "node_modules"):
            for path in sorted(group.iterdir()):
                if path.suffix in language.endings or (path.is_dir() and path.name != "__pycache__"):
                    cases.append(Case(kind, group.name, path))
    return cases
