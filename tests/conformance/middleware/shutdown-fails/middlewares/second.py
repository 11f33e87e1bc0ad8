def shutdown(context):
    print("second ended")
    raise Exception("no end")
