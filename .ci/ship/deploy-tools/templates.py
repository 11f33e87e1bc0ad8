"""Checks the projects that `trine package --template` writes, with the tools that are to deploy them."""

import os
from pathlib import Path

import hcl
from common import LAYER, TOOLS, expect, python_tool, run
from pods import expect_knative

TRINE = os.environ["TRINE"]


def write(deploy, tool):
    """Packages a function with a project for a tool, and returns the project's folder."""
    folder = deploy / "packaged"
    run(
        TRINE, "package", "handler.handler", deploy / "functions/python", "-o", deploy / "greet.zip",
        "--template", tool, "--dir", folder, "--name", "greet", "--runtime-layer", deploy.parents[1] / LAYER,
        cwd=deploy,
    )
    expect(any(folder.iterdir()), "there is no project")
    return folder


def sam(deploy):
    folder = write(deploy, "sam")
    run(python_tool("cfn-lint"), "template.yaml", cwd=folder)
    run(python_tool("sam"), "validate", "--lint", "--template", "template.yaml", cwd=folder)


def cdk(deploy):
    folder = write(deploy, "cdk")
    modules = TOOLS / "node/node_modules"
    (folder / "node_modules").symlink_to(modules)
    run(modules / ".bin/tsc", "--noEmit", "--skipLibCheck", cwd=folder)
    run(
        modules / ".bin/cdk", "synth", "--quiet", "--no-notices", "--no-version-reporting",
        "--app", f"{modules}/.bin/tsx app.ts", cwd=folder,
    )
    (template,) = (folder / "cdk.out").glob("*.template.json")
    run(python_tool("cfn-lint"), "--ignore-checks", "W3005", "--template", template, cwd=folder)


def serverless(deploy):
    folder = write(deploy, "serverless")
    run("node", Path(__file__).with_name("serverless.cjs"), TOOLS / "node", "package", cwd=folder)
    template = folder / ".serverless/cloudformation-template-update-stack.json"
    run(python_tool("cfn-lint"), "--template", template.rename(folder / "packaged.template.json"), cwd=folder)


def terraform(deploy):
    folder = write(deploy, "terraform")
    for check in (hcl.syntax, hcl.names, hcl.arguments):
        check(folder)


def knative(deploy):
    for path in write(deploy, "knative").glob("*.yaml"):
        expect_knative(path)
