"""What the checks share: a copy of the projects, the faults that are found in it, commands."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
TOOLS = Path(os.environ["DEPLOY_TOOLS"])
LANGUAGES = ("js", "python", "lua")
LAYER = "dist/trine-layer-x86_64-python3.11.zip"


class Fault(Exception):
    """What is wrong with a project."""


def expect(condition, fault):
    if not condition:
        raise Fault(fault)


def copy_projects(folder):
    """Copies the projects to where they may be broken and built, and returns their folder.

    The layer is the one that `make layer` has made, else a small zip in its place: only name and form are looked at.
    """
    folder = Path(folder)
    deploy = folder / "handlers-examples/deploy"
    ignored = shutil.ignore_patterns("node_modules", "cdk.out", ".serverless", ".terraform", "build", "__pycache__")
    shutil.copytree(REPOSITORY / "handlers-examples/deploy", deploy, symlinks=True, ignore=ignored)
    (deploy / "cdk/node_modules").symlink_to(TOOLS / "node/node_modules")
    layer = folder / LAYER
    layer.parent.mkdir()
    if (REPOSITORY / LAYER).is_file():
        layer.symlink_to(REPOSITORY / LAYER)
    else:
        with zipfile.ZipFile(layer, "w") as archive:
            bootstrap = zipfile.ZipInfo("bootstrap")
            bootstrap.external_attr = 0o755 << 16
            archive.writestr(bootstrap, "#!/bin/false\n")
    return deploy


def run(*command, cwd, env=None, timeout=300):
    """Runs a command and returns what it printed; what it says on failure is a fault."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(
            command, cwd=cwd, env={**os.environ, **(env or {})}, timeout=timeout, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise Fault(f"{command[0]} is not there") from None
    except subprocess.TimeoutExpired:
        raise Fault(f"{Path(command[0]).name} had no end after {timeout} s") from None
    expect(done.returncode == 0, f"{Path(command[0]).name} ends with {done.returncode}: {told(done.stdout)}")
    return done.stdout


def told(output):
    """Returns a tool's report on one line."""
    lines = [line.strip() for line in output.splitlines()]
    return " ".join(line for line in lines if line)[:1000]


def python_tool(name):
    return TOOLS / "python/bin" / name


class CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's tags, in their long form."""


def _tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


CloudFormation.add_multi_constructor("!", _tag)


def read_yaml(path, loader=yaml.SafeLoader):
    """Returns the documents of a file."""
    try:
        return [document for document in yaml.load_all(Path(path).read_text(), loader) if document is not None]
    except yaml.YAMLError as error:
        raise Fault(f"{Path(path).name}: {told(str(error))}") from None


def read_json(path):
    return json.loads(Path(path).read_text())


def expect_middlewares(deploy, names):
    """Expects that the layer has each of the middlewares in a list of names."""
    expect(names, "TRINE_MIDDLEWARES names no middleware")
    for name in names.split(","):
        found = [*deploy.glob(f"layer/middlewares/{name}.*"), *deploy.glob(f"layer/middlewares/{name}/index.*")]
        expect(found, f"the layer has no middleware {name}")


def expect_handler(folder, handler):
    """Expects that a folder, or the names in a zip, have the file of one language that a handler names."""
    name = handler.rsplit(".", 1)[0]
    if isinstance(folder, Path):
        expect(folder.is_dir(), f"{folder.name} is no folder")
        names = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    else:
        names = folder
    files = [file for file in names if file.rsplit(".", 1)[0] == name]
    expect(len(files) == 1, f"the handler {handler} names {files or 'no file'}")
