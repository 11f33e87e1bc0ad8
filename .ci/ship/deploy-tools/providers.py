"""Fetches the types of Terraform's providers: providers.py PINS FOLDER.

The providers themselves are programs that no package registry has. Their schemas are in packages of npm, as types of
TypeScript, a file a resource; `FOLDER/aws/lambda-function/index.d.ts` is one of them.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path


def main(pins, folder):
    for provider, pin in json.loads(Path(pins).read_text()).items():
        with tempfile.TemporaryDirectory() as place:
            name = f"{pin['package']}@{pin['version']}"
            subprocess.run(["npm", "pack", "--loglevel=error", name], cwd=place, check=True, stdout=subprocess.DEVNULL)
            (archive,) = Path(place).glob("*.tgz")
            algorithm, wanted = pin["integrity"].split("-", 1)
            found = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
            if found != wanted:
                sys.exit(f"{name}: its {algorithm} is {found}, not {wanted}")
            unpack(archive, Path(folder) / provider)


def unpack(archive, folder):
    with tarfile.open(archive) as files:
        for file in files:
            if file.isfile() and file.name.startswith("package/lib/") and file.name.endswith(".d.ts"):
                path = folder / file.name.removeprefix("package/lib/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(files.extractfile(file).read())


if __name__ == "__main__":
    main(*sys.argv[1:])
