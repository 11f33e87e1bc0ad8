# duckdb, pymemcache: queries over Parquet files, frames and JSON; values of memcached
# needs: memcached
import os
import tempfile
import duckdb
import pandas
from pymemcache.client.base import Client


def handler(event, context):
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    connection = duckdb.connect()
    grouped = connection.execute("select b, sum(a)::int as s from frame group by b order by b").fetchall()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "f.parquet")
        connection.execute(f"copy (select range as n from range(100)) to '{file}'")
        total = connection.execute(f"select sum(n)::int from '{file}'").fetchone()
    connection.close()
    client = Client(os.environ["MEMCACHED"])
    client.set("py", "value")
    value = client.get("py").decode()
    client.close()
    return [grouped, total, value]
