def price(cart):
    total = sum(item["price"] * item["count"] for item in cart["items"])
    return {"total": total * 9 // 10, "why": "ten percent for friends"}
