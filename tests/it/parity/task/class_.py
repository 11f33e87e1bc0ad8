class Service:
    def __init__(self):
        self.calls = 0

    def handle(self, event, context):
        self.calls += 1
        return self.calls


service = Service()
handler = service.handle
