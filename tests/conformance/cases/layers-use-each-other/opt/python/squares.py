from products import multiply


def square(number):
    return multiply(number, number)
