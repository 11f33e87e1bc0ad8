# asyncpg, pg8000: pools, prepared statements, cursors, copies, listeners; a driver without native code
# needs: postgres
import asyncio
import os
import asyncpg
import pg8000.native


async def main():
    async with asyncpg.create_pool(min_size=1, max_size=3) as pool:
        await pool.execute("drop table if exists py_asyncpg")
        await pool.execute("create table py_asyncpg (id serial, name text, tags text[])")
        await pool.executemany("insert into py_asyncpg (name, tags) values ($1, $2)", [("é", ["x"]), ("b", [])])
        many = await asyncio.gather(*(pool.fetchval("select $1::int * 2", n) for n in range(5)))
        async with pool.acquire() as connection:
            heard = asyncio.get_running_loop().create_future()
            await connection.add_listener("py_asyncpg", lambda *arguments: heard.set_result(arguments[3]))
            await pool.execute("select pg_notify('py_asyncpg', 'hello')")
            payload = await asyncio.wait_for(heard, 5)
            try:
                async with connection.transaction():
                    await connection.execute("delete from py_asyncpg")
                    raise ValueError
            except ValueError:
                pass
            async with connection.transaction():
                pieces = [row["n"] async for row in connection.cursor("select generate_series(1, 3) as n")]
            await connection.reset()
        try:
            await pool.fetch("select nothing")
        except asyncpg.PostgresError as error:
            failed = error.sqlstate
        return [[dict(row) for row in await pool.fetch("select * from py_asyncpg")], many, payload, pieces, failed]


def handler(event, context):
    connection = pg8000.native.Connection("trine", "127.0.0.1", "postgres", int(os.environ["PGPORT"]), "secret")
    pure = connection.run("select :a || 'é', :n + 1", a="x", n=1)
    connection.close()
    return [asyncio.run(main()), pure]
