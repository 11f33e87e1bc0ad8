class Total:
    def __init__(self):
        self.total = 0

    def __call__(self, event, context):
        self.total += event
        return self.total


handler = Total()
