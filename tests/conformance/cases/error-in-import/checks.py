def check(number):
    if number < 0:
        raise ValueError("negative")
    return number
