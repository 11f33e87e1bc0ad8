# psycopg2-binary: parameters, batches, named cursors, errors, pools
# needs: postgres
import psycopg2
from psycopg2.extras import Json, RealDictCursor, execute_values
from psycopg2.pool import ThreadedConnectionPool


def handler(event, context):
    pool = ThreadedConnectionPool(1, 2, "")
    connection = pool.getconn()
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("drop table if exists py_psycopg2; create table py_psycopg2 (id serial, name text, data json)")
        execute_values(cursor, "insert into py_psycopg2 (name, data) values %s", [("é", Json({"a": 1})), ("b", None)])
        cursor.execute("select * from py_psycopg2 where name = any(%s)", (["é", "x"],))
        rows = [dict(row) for row in cursor.fetchall()]
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("select nothing")
    except psycopg2.errors.UndefinedColumn as error:
        failed = error.pgcode
    with connection, connection.cursor("named") as cursor:
        cursor.execute("select generate_series(1, 3)")
        streamed = [row for row in cursor]
    pool.putconn(connection)
    pool.closeall()
    return [rows, failed, streamed]
