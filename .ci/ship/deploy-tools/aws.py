"""Checks of what goes to Lambda with CloudFormation: SAM, CDK, Serverless Framework."""

import zipfile
from pathlib import Path

from common import (
    LANGUAGES, TOOLS, CloudFormation, expect, expect_handler, expect_middlewares, python_tool, read_json, read_yaml,
    run,
)


def sam_lint(deploy):
    run(python_tool("cfn-lint"), "--non-zero-exit-code", "informational", "template.yaml", cwd=deploy / "sam")


def sam_validate(deploy):
    run(python_tool("sam"), "validate", "--lint", "--template", "template.yaml", cwd=deploy / "sam")


def sam_files(deploy):
    (template,) = read_yaml(deploy / "sam/template.yaml", CloudFormation)
    shared = template["Globals"]["Function"]
    functions, code = {}, {}
    for name, resource in of_type(template, "AWS::Serverless::Function"):
        own = resource["Properties"]
        functions[name] = {**shared, **own}
        code[name] = deploy / "sam" / own["CodeUri"]
        expect(own["FunctionUrlConfig"]["AuthType"] == "AWS_IAM", f"anybody may call {name}")
    expect_functions(deploy, template, functions, lambda name, _: code[name])
    for name, resource in of_type(template, "AWS::Serverless::LayerVersion"):
        content = deploy / "sam" / resource["Properties"]["ContentUri"]
        expect(content.exists(), f"{name}: {resource['Properties']['ContentUri']} does not exist")


def cdk_types(deploy):
    run(TOOLS / "node/node_modules/.bin/tsc", cwd=deploy / "cdk")


def cdk_synth(deploy):
    pinned, used = read_json(TOOLS / "node/package.json"), read_json(deploy / "cdk/package.json")
    for name, version in {**used["dependencies"], **used["devDependencies"]}.items():
        tested = pinned["dependencies"].get(name)
        expect(version == tested, f"package.json wants {name} {version}, tested is {tested}")
    cdk = TOOLS / "node/node_modules/.bin/cdk"
    run(cdk, "synth", "--quiet", "--no-notices", "--no-version-reporting", cwd=deploy / "cdk")
    built = deploy / "cdk/cdk.out"
    path = built / "TrineGreet.template.json"
    # W3005: the CDK names each dependency, those too that follow from a reference.
    run(python_tool("cfn-lint"), "--ignore-checks", "W3005", "--template", path, cwd=deploy)
    template = read_json(path)
    functions = {name: resource["Properties"] for name, resource in of_type(template, "AWS::Lambda::Function")}

    def asset(name, _):
        return built / template["Resources"][name]["Metadata"]["aws:asset:path"]

    expect_functions(deploy, template, functions, asset)
    expect_private(template)


def serverless_package(deploy):
    program = Path(__file__).with_name("serverless.cjs")
    run("node", program, TOOLS / "node", "package", cwd=deploy / "serverless")
    built = deploy / "serverless/.serverless"
    path = built / "cloudformation-template-update-stack.json"
    # A list of files that begins with a dot is no pattern to cfn-lint.
    visible = deploy / "serverless/packaged.template.json"
    path.rename(visible)
    run(python_tool("cfn-lint"), "--template", visible, cwd=deploy)
    template = read_json(visible)
    functions = {name: resource["Properties"] for name, resource in of_type(template, "AWS::Lambda::Function")}

    def archive(_, function):
        return zipfile.ZipFile(built / Path(function["Code"]["S3Key"]).name).namelist()

    expect_functions(deploy, template, functions, archive)
    expect_private(template)
    layer = zipfile.ZipFile(built / "middlewares.zip").namelist()
    expect("middlewares/request-id.lua" in layer, f"the layer holds {layer}")


def of_type(template, kind):
    return [(name, found) for name, found in template["Resources"].items() if found["Type"] == kind]


def expect_functions(deploy, template, functions, code_of):
    """Expects a function in each language, on Trine, with the middleware, that may do no more than it needs."""
    expect(len(functions) == len(LANGUAGES), f"{len(functions)} functions, not one in each language")
    for name, function in functions.items():
        for member, wanted in [("Runtime", "provided.al2023"), ("Architectures", ["x86_64"])]:
            expect(function.get(member) == wanted, f"{name}: {member} is {function.get(member)}, not {wanted}")
        expect(128 <= function["MemorySize"] <= 1024, f"{name}: MemorySize is {function['MemorySize']}")
        expect(1 <= function["Timeout"] <= 30, f"{name}: Timeout is {function['Timeout']}")
        expect(function.get("LoggingConfig", {}).get("LogFormat") == "JSON", f"{name}: its log is not JSON")
        expect_middlewares(deploy, function["Environment"]["Variables"].get("TRINE_MIDDLEWARES"))
        expect_handler(code_of(name, function), function["Handler"])
        layers = [layer.get("Ref") for layer in function["Layers"]]
        expect(len(layers) == 2, f"{name}: {len(layers)} layers, not Trine and the middlewares")
        for layer in layers:
            expect(layer in template["Resources"], f"{name}: there is no layer {layer}")
        expect("Fn::GetAtt" in function["Role"], f"{name}: its role is not of this project")
    expect_least_privilege(template)


def expect_least_privilege(template):
    """Expects that no role may do anything but write logs of its own."""
    roles = [resource["Properties"] for _, resource in of_type(template, "AWS::IAM::Role")]
    policies = [resource["Properties"] for _, resource in of_type(template, "AWS::IAM::Policy")]
    expect(len(roles) == 1, f"{len(roles)} roles, not one")
    expect(not roles[0].get("ManagedPolicyArns"), "the role has managed policies")
    documents = [policy["PolicyDocument"] for policy in [*policies, *roles[0].get("Policies", [])]]
    expect(documents, "the role may write no logs")
    for statement in (statement for document in documents for statement in document["Statement"]):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in actions:
            expect(action.startswith("logs:") and "*" not in action, f"the role may {action}")
        expect(statement["Resource"] != "*", f"the role may {actions} on everything")


def expect_private(template):
    urls = of_type(template, "AWS::Lambda::Url")
    expect(len(urls) == len(LANGUAGES), f"{len(urls)} URLs, not one a function")
    for name, url in urls:
        expect(url["Properties"]["AuthType"] == "AWS_IAM", f"anybody may call {name}")
