from ..plain import handler  # noqa: F401
