class Account:
    def balance(self):
        return 21


def before(event, context):
    context.state["account"] = Account()
