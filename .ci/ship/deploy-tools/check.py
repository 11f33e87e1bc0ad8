"""Runs the checks of handlers-examples/deploy, or breaks the projects and expects them to fail; see ../test-deploy."""

import sys
import tempfile
import traceback

import aws
import functions
import hcl
import pods
import templates
from breaks import BREAKS
from common import Fault, copy_projects

CHECKS = {
    "sam: cfn-lint": aws.sam_lint,
    "sam: sam validate": aws.sam_validate,
    "sam: files and rights": aws.sam_files,
    "cdk: types": aws.cdk_types,
    "cdk: cdk synth": aws.cdk_synth,
    "serverless: serverless package": aws.serverless_package,
    "terraform: syntax": lambda deploy: hcl.syntax(deploy / "terraform"),
    "terraform: names": lambda deploy: hcl.names(deploy / "terraform"),
    "terraform: arguments": lambda deploy: hcl.arguments(deploy / "terraform"),
    "terraform: files and rights": hcl.files,
    "kubernetes: schema": pods.kubernetes_schema,
    "kubernetes: objects, times, sizes": pods.kubernetes_fits,
    "knative: schema": pods.knative_schema,
    "knative: times, sizes": pods.knative_fits,
    "compose and systemd": pods.supervisors,
    "trine package: a project for sam": templates.sam,
    "trine package: a project for cdk": templates.cdk,
    "trine package: a project for terraform": templates.terraform,
    "trine package: a project for serverless": templates.serverless,
    "trine package: a project for knative": templates.knative,
    "functions: trine invoke": functions.invoke,
    "functions: trine emulator": functions.emulator,
    "functions: trine serve, as the manifests start it": functions.serve,
    "functions: an answer after SIGTERM": functions.drain,
}


def outcome(check, change=None):
    """Runs a check on a copy of the projects, changed if so, and returns the fault that it finds."""
    with tempfile.TemporaryDirectory(prefix="trine-deploy-") as folder:
        deploy = copy_projects(folder)
        if change:
            change(deploy)
        try:
            CHECKS[check](deploy)
        except Fault as fault:
            return str(fault).replace(folder, "")
    return None


def change(file, old, new):
    """Returns what puts one text into the place of another; of a file, whose text is None, what removes it."""

    def apply(deploy):
        path = deploy / file
        if old is None:
            return path.unlink()
        text = path.read_text()
        if old not in text:
            raise LookupError(f"{file} no longer has {old!r}: mend breaks.py")
        path.write_text(text.replace(old, new, 1))

    return apply


def main(arguments):
    is_self_check = "--self-check" in arguments
    wanted = [argument for argument in arguments if argument != "--self-check"]
    passed = failed = 0
    if is_self_check:
        runs = [
            (check, f"{check} refuses {what}", change(*how), report)
            for check, faults in BREAKS.items()
            for what, *how, report in faults
        ]
        untried = CHECKS.keys() - BREAKS.keys()
        for check in sorted(untried):
            print(f"FAIL  {check}: nothing in breaks.py makes it fail")
        failed += len(untried)
    else:
        runs = [(check, check, None, None) for check in CHECKS]
    for check, name, how, report in runs:
        if wanted and not any(word in name for word in wanted):
            continue
        try:
            fault = outcome(check, how)
            is_good = fault is None if report is None else report in (fault or "")
        except Exception:  # a check that breaks down has not passed, and the others go on
            fault, is_good = traceback.format_exc(), False
        passed, failed = passed + is_good, failed + (not is_good)
        told = fault or ("it does not" if report else "")
        print(f"{'ok  ' if is_good else 'FAIL'}  {name}{told and ': '}{told[:160] if is_good else told}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
