class Own(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.details = {"attempts": 3}


def handler(event, context):
    raise Own("no luck")
