"""Looks at a module without running it: whether it compiles, and whether it can have a function of a name."""

import _ast
import warnings

_SCOPES = ("FunctionDef", "AsyncFunctionDef", "ClassDef")
# What makes names at run time that stand nowhere in the text as such.
_SIGNS = (b"globals", b"__dict__", b"setattr", b"exec(", b"sys.modules", b"global ")


def look(path, names):
    """None where one of `names` may be there once the module has run; else the names of the functions that will be."""
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
    if unknown or not names or not bound.isdisjoint(names):
        return None
    functions = (node.name for node in tree.body if type(node).__name__ in _SCOPES[:2])
    return [name for name in functions if not name.startswith("_")]


def _bound(tree):
    """Names that top-level code binds, and `*` for those of an import that does not name them."""
    bound = set()
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        kind = type(node).__name__
        if kind in _SCOPES:
            bound.add(node.name)
        elif kind == "Name":
            if isinstance(node.ctx, _ast.Store):
                bound.add(node.id)
        elif kind == "alias":
            bound.add(node.asname or node.name.partition(".")[0])
        elif kind != "Lambda":
            # The name of an exception, or of what a pattern captures.
            name = getattr(node, "name", None)
            if isinstance(name, str):
                bound.add(name)
            for field in node._fields:
                value = getattr(node, field, None)
                nodes += value if isinstance(value, list) else [value]
            nodes = [node for node in nodes if isinstance(node, _ast.AST)]
    return bound
