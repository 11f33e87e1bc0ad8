def handler(event, context):
    numbers = event["numbers"]
    numbers.append(4)
    return {
        "greeting": f"Hello {event['name']}",
        "numbers": numbers,
        "sum": sum(numbers),
        "isNull": event["nested"]["deep"][0]["x"] is None,
    }
