def handler(cart):
    for item in cart["items"]:
        yield f"{item['count']} {item['name']}\n"
