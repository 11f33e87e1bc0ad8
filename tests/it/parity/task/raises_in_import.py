import raises_at_import  # noqa: F401
