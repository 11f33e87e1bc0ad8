import one

seen = "present" if hasattr(one, "one") else "absent"


def two():
    return one.one() + 1
