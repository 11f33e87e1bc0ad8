def handler(event, context):
    if event:
        import counter

        return counter.increment()
