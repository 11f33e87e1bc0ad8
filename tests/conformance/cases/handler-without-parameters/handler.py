def handler():
    return "constant"
