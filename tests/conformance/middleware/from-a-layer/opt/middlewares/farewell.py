def after(response, context):
    return f"{response} ends"
