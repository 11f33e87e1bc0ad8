def init(context):
    print("init ran")
