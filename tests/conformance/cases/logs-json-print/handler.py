def handler(event, context):
    print("printed")
