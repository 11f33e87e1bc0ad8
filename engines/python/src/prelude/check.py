"""Looks at a module without running it: whether it compiles, and whether it can have a function of a name."""

import _ast
import warnings

_SCOPES = ("FunctionDef", "AsyncFunctionDef", "ClassDef")
# What makes names at run time that stand nowhere in the text as such.
_SIGNS = (b"globals", b"__dict__", b"setattr", b"exec(", b"sys.modules", b"global ")


def look(path, names):
    """What a module will have once it has run, as far as its text tells.

    None where one of `names` may be a function then. A pair where one of them is a value that is none: the name, and what
    the value is. Else the names of the functions that will be there.
    """
    try:
        with open(path, "rb") as file:
            source = file.read()
    except (FileNotFoundError, NotADirectoryError):
        # It lies in an archive, which only its import opens.
        return None
    with warnings.catch_warnings():
        # They are shown when the module is loaded.
        warnings.simplefilter("ignore")
        try:
            tree = compile(source, path, "exec", _ast.PyCF_ONLY_AST, True)
        except RecursionError:
            # A tree is more than the compiler itself needs.
            tree = None
        compile(source if tree is None else tree, path, "exec", 0, True)
    if tree is None:
        return None
    bound = _bound(tree)
    unknown = "*" in bound or "__getattr__" in bound or any(sign in source for sign in _SIGNS)
    if unknown or not names:
        return None
    there = [name for name in names if name in bound]
    if there:
        values = [bound[name] for name in there]
        return None if None in values else (there[0], values[0])
    functions = (node.name for node in tree.body if type(node).__name__ in _SCOPES[:2])
    return [name for name in functions if not name.startswith("_")]


def _bound(tree):
    """Names that top-level code binds, and `*` for those of an import that does not name them.

    With each goes what its value is, where every one that it is given is written out and none can be called.
    """
    bound = {}
    values = {}
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        kind = type(node).__name__
        names = []
        if kind in _SCOPES:
            names.append(node.name)
        elif kind == "Name":
            if isinstance(node.ctx, _ast.Store):
                names.append(node.id)
        elif kind == "alias":
            names.append(node.asname or node.name.partition(".")[0])
        elif kind != "Lambda":
            # The name of an exception, or of what a pattern captures.
            name = getattr(node, "name", None)
            if isinstance(name, str):
                names.append(name)
            for target in _targets(node, kind):
                values[id(target)] = _kind(node.value)
            for field in node._fields:
                value = getattr(node, field, None)
                nodes += value if isinstance(value, list) else [value]
            nodes = [node for node in nodes if isinstance(node, _ast.AST)]
        for name in names:
            value = values.get(id(node))
            bound[name] = value if bound.get(name, value) is not None else None
    return bound


def _targets(node, kind):
    """The names to which a statement gives its value as a whole."""
    targets = ()
    if kind == "Assign":
        targets = node.targets
    elif kind in ("AnnAssign", "NamedExpr"):
        targets = (node.target,)
    return (target for target in targets if type(target).__name__ == "Name")


def _kind(value):
    """What a value is that is written out and cannot be called, with its article; None for any other."""
    kind = type(value).__name__
    if kind == "UnaryOp" and type(value.op).__name__ in ("USub", "UAdd") and _kind(value.operand):
        value = value.operand
        kind = type(value).__name__
    if kind == "Constant":
        kind = type(value.value).__name__
        if kind == "NoneType":
            return "None"
        if kind == "ellipsis":
            return "an ellipsis"
    elif kind == "JoinedStr":
        kind = "str"
    elif kind in ("List", "Dict", "Tuple", "Set", "ListComp", "DictComp", "SetComp"):
        kind = kind.removesuffix("Comp").lower()
    else:
        return None
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
