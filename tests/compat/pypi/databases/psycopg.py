# psycopg: parameters, types, transactions, copies, notifications, cursors on the server, asynchronously, TLS
# needs: postgres
import asyncio
import datetime
import os
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb


async def main():
    async with await psycopg.AsyncConnection.connect() as connection:
        async with connection.cursor() as cursor:
            await cursor.execute("select generate_series(1, 3)")
            return [row async for row in cursor]


def handler(event, context):
    with psycopg.connect(row_factory=dict_row, autocommit=True) as connection:
        connection.execute("drop table if exists py_psycopg")
        connection.execute(
            "create table py_psycopg (id serial primary key, name text, data jsonb, at timestamptz, bytes bytea, tags text[])"
        )
        row = connection.execute(
            "insert into py_psycopg (name, data, at, bytes, tags) values (%s, %s, %s, %s, %s) returning *",
            ["Réx", Jsonb({"a": [1]}), datetime.datetime.fromtimestamp(0, datetime.timezone.utc), b"\x01", ["x"]],
        ).fetchone()
        with connection.cursor().copy("copy py_psycopg (name) from stdin") as copy:
            copy.write_row(["copied"])
        try:
            with connection.transaction():
                connection.execute("delete from py_psycopg")
                raise ValueError
        except ValueError:
            pass
        connection.execute("listen py_psycopg")
        connection.execute("select pg_notify('py_psycopg', 'hello')")
        payload = next(iter(connection.notifies(timeout=5, stop_after=1))).payload
        try:
            connection.execute("select nothing")
        except psycopg.Error as error:
            failed = error.sqlstate
        with connection.transaction(), connection.cursor("c") as cursor:
            cursor.execute("select generate_series(1, 5) as n")
            pieces = [[row["n"] for row in cursor.fetchmany(2)] for _ in range(3)]
        count = connection.execute("select count(*) from py_psycopg").fetchone()
    with psycopg.connect(host="localhost", sslmode="verify-full", sslrootcert=os.environ["AUTHORITY_FILE"]) as secure:
        ssl = secure.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone()
    row |= {"at": row["at"].isoformat(), "bytes": list(row["bytes"])}
    return [row, payload, failed, pieces, count, ssl, asyncio.run(main())]
