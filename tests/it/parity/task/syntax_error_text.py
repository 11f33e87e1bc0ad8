def handler(event, context):
    retrun 1
