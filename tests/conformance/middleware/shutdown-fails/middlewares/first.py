def shutdown(context):
    print("first ended")
    raise Exception("no end")
