"""What Trine raises in Python code. The module exists at run time only for `except` clauses and annotations."""

class Interrupted(BaseException):
    """Raised in a handler whose time is up. Clean up and let it pass."""
