def before(event, context):
    print(type(event))
