"""A table of pandas is made and summed up while the function is loaded."""

import pandas

orders = pandas.DataFrame({"region": ["eu", "us", "eu"], "count": [1, 2, 3]})
totals = orders.groupby("region")["count"].sum()


def handler(event, context):
    return event if totals["eu"] == 4 else None
