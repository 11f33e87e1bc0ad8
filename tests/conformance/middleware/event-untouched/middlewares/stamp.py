def after(response, context):
    return response + " and stamped"
