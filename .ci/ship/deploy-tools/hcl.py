"""Checks of the Terraform project: its language, its names, and the arguments of its resources."""

import re
import shutil
from pathlib import Path

import hcl2

from common import LANGUAGES, TOOLS, Fault, expect, expect_handler, expect_middlewares, run, told

FUNCTIONS = {"toset", "filebase64sha256", "jsonencode", "merge", "abspath", "basename", "file", "templatefile"}
ROOTS = {"var", "local", "data", "each", "path", "count", "self"}
META = {"for_each", "count", "depends_on", "provider", "lifecycle"}


def parse(folder):
    """Returns the blocks of all files of a project by kind, as (labels, body)."""
    blocks = {"variable": [], "data": [], "locals": []}
    for path in sorted(folder.glob("*.tf")):
        try:
            with path.open() as file:
                document = hcl2.load(file)
        except Exception as error:  # its parser's own errors have no common base
            raise Fault(f"{path.name}: {told(str(error))}") from None
        for kind, found in document.items():
            if not kind.startswith("__"):
                blocks.setdefault(kind, []).extend(labelled((), block) for block in found)
    return blocks


def labelled(labels, block):
    """Takes the labels off a block: they are quoted, members are not."""
    while len(block) == 1 and next(iter(block)).startswith('"'):
        ((label, block),) = block.items()
        labels += (label.strip('"'),)
    return labels, block


def syntax(folder):
    parse(folder)
    terraform = shutil.which("terraform")
    if terraform:
        run(terraform, "fmt", "-check", "-diff", ".", cwd=folder)


def names(folder):
    """Expects that everything that is named exists, and that every variable is used."""
    blocks = parse(folder)
    variables = {labels[0] for labels, _ in blocks["variable"]}
    local = {name for _, body in blocks["locals"] for name in members(body)}
    resources = {labels for labels, _ in blocks["resource"]}
    data = {labels for labels, _ in blocks["data"]}
    used = set()
    for expression in [text for found in blocks.values() for _, body in found for text in expressions(body)]:
        loops = set(re.findall(r"\w+", " ".join(re.findall(r"\bfor\s+([\w\s,]+?)\s+in\b", expression))))
        for name in re.findall(r"\b(\w+)\(", expression):
            expect(name in FUNCTIONS, f"there is no function {name}: {expression}")
        for path in re.findall(r"(?<![\w.])[a-z_]\w*(?:\[[^\]]*\])?(?:\.\w+(?:\[[^\]]*\])?)+", expression):
            root, name, *rest = re.sub(r"\[[^\]]*\]", "", path).split(".")
            used.add((root, name))
            if root == "var":
                expect(name in variables, f"there is no variable {name}")
            elif root == "local":
                expect(name in local, f"there is no local value {name}")
            elif root == "data":
                expect((name, rest[0]) in data, f"there is no data source {name}.{rest[0]}")
                expect_attribute("data", name, rest[1:])
            elif root not in ROOTS and root not in loops:
                expect((root, name) in resources, f"there is no resource {root}.{name}")
                expect_attribute("resource", root, rest)
    for name in sorted(variables):
        expect(("var", name) in used, f"the variable {name} is not used")


def members(body):
    return {name: value for name, value in body.items() if not name.startswith("__")}


def expressions(value):
    """Yields what is computed in a value: the insides of `${…}`, without the texts in them."""
    if isinstance(value, dict):
        for inner in members(value).values():
            yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)
    elif isinstance(value, str):
        depth = start = 0
        for found in re.finditer(r"\$?\{|\}", value):
            if found[0] == "}":
                depth -= 1
                if depth == 0:
                    yield re.sub(r'"[^"$]*"', "", value[start : found.start()])
            else:
                if depth == 0:
                    start = found.end()
                depth += 1


def arguments(folder):
    """Expects arguments and blocks that the providers know, and all that they require."""
    blocks = parse(folder)
    for kind in ("resource", "data"):
        for (name, label), body in blocks[kind]:
            structs = schema(kind, name)
            expect_block(structs, next(iter(structs)), body, f"{name}.{label}", META)


def files(deploy):
    """Expects that folders and layer are there, and a function that may do no more than it needs."""
    folder = deploy / "terraform"
    blocks = parse(folder)
    resources = {labels: body for labels, body in blocks["resource"]}
    function = resources["aws_lambda_function", "function"]
    for labels, body in blocks["data"]:
        if labels[0] == "archive_file":
            for language in LANGUAGES:
                source = text(body["source_dir"])
                source = source.replace("${path.module}", str(folder)).replace("${each.key}", language)
                expect(Path(source).is_dir(), f"{'.'.join(labels)}: {body['source_dir']} is no folder")
                if "each.key" in body["source_dir"]:
                    expect_handler(Path(source), text(function["handler"]))
    for labels, body in blocks["variable"]:
        if labels[0] == "trine_layer":
            expect((folder / text(body["default"])).is_file(), f"{body['default']} does not exist")
    wanted = {"runtime": '"provided.al2023"', "architectures": ['"x86_64"']}
    for member, value in wanted.items():
        expect(function[member] == value, f"{member} is {function[member]}, not {value}")
    expect(len(function["layers"]) == 2, "not the layers Trine and middlewares")
    expect(text(function["logging_config"][0]["log_format"]) == "JSON", "the log is not JSON")
    expect_middlewares(deploy, text(function["environment"][0]["variables"].get("TRINE_MIDDLEWARES", "")))
    url = resources["aws_lambda_function_url", "function"]
    expect(text(url["authorization_type"]) == "AWS_IAM", "anybody may call the functions")
    for _, body in blocks["data"]:
        for statement in body.get("statement", []):
            for action in map(text, statement["actions"]):
                expect(action == "sts:AssumeRole" or action.startswith("logs:"), f"the role may {action}")
            expect('"*"' not in statement.get("resources", []), "the role may do something on everything")


def text(value):
    return value.strip('"')


def declarations(kind, name):
    """Returns the types of a resource, as the provider's package declares them for TypeScript."""
    provider, _, own = name.partition("_")
    folder = TOOLS / "terraform" / provider
    expect(folder.is_dir(), f"there is no provider {provider}")
    folder_name = (own if kind == "resource" else f"data-{name}").replace("_", "-")
    path = folder / folder_name / "index.d.ts"
    expect(path.is_file(), f"the provider {provider} has no {kind} {name}")
    return path.read_text()


def schema(kind, name):
    """Returns the structures of a resource, its own first: by argument, whether it is required, and the type's name."""
    structs, text = {}, declarations(kind, name)
    pattern = r"^export interface (\w+)( extends cdktf.TerraformMetaArguments)? \{\n(.*?)^\}"
    for struct, is_own, body in re.findall(pattern, text, re.DOTALL | re.MULTILINE):
        fields = re.findall(r"#(\w+) \w+#\w+\}(?:(?!/\*\*).)*?\*/\s+readonly \w+(\??): (\w*)", body, re.DOTALL)
        arguments = {field: (optional != "?", type_) for field, optional, type_ in fields}
        structs = {struct: arguments, **structs} if is_own else {**structs, struct: arguments}
    return structs


def expect_block(structs, struct, body, where, meta=frozenset()):
    fields = structs[struct]
    for name, value in members(body).items():
        if name in meta:
            continue
        expect(name in fields, f"{where} has no argument {name}")
        inner = structs.get(fields[name][1])
        is_block = isinstance(value, list) and any(isinstance(item, dict) and "__is_block__" in item for item in value)
        expect(is_block == (inner is not None), f"{where}: {name} is {'no block' if is_block else 'a block'}")
        if is_block:
            for item in value:
                expect_block(structs, fields[name][1], item, f"{where}.{name}")
    for name, (is_required, _) in fields.items():
        expect(not is_required or name in body, f"{where} lacks {name}")


def expect_attribute(kind, name, rest):
    """Expects that a resource has the attribute that a reference names, if it names one."""
    if rest:
        getters = {getter.lower() for getter in re.findall(r"\bget (\w+)\(\)", declarations(kind, name))}
        expect(rest[0].replace("_", "") in getters, f"{name} has no attribute {rest[0]}")
