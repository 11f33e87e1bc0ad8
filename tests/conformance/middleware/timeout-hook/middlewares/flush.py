def timeout(context):
    print("timeout hook ran")
