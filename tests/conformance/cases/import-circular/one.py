import two


def one():
    return 1


early = two.seen


def late():
    return type(one).__name__


def total():
    return one() + two.two()
