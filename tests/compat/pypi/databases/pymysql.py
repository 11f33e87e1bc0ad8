# pymysql, aiomysql, mysql-connector-python: MariaDB with three drivers, TLS
# needs: mariadb
import asyncio
import os
import aiomysql
import mysql.connector
import pymysql

settings = {"host": "127.0.0.1", "port": int(os.environ["MYSQL_TCP_PORT"]), "user": "trine", "password": "secret"}


async def main():
    async with aiomysql.create_pool(**settings, db="trine") as pool:
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("select %s + 1, %s", (1, "é"))
            return await cursor.fetchall()


def handler(event, context):
    connection = pymysql.connect(**settings, database="trine", cursorclass=pymysql.cursors.DictCursor, autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "create or replace table py_pymysql (id int auto_increment primary key, name varchar(20), price decimal(6,2))"
        )
        cursor.executemany("insert into py_pymysql (name, price) values (%s, %s)", [("é", "1.50"), ("b", None)])
        connection.commit()
        cursor.execute("delete from py_pymysql")
        connection.rollback()
        cursor.execute("select * from py_pymysql")
        rows = [{**row, "price": str(row["price"])} for row in cursor.fetchall()]
        try:
            cursor.execute("select * from nothing")
        except pymysql.err.ProgrammingError as error:
            failed = error.args[0]
    secure = pymysql.connect(
        **settings, database="trine", ssl={"ca": os.environ["AUTHORITY_FILE"], "check_hostname": False}
    )
    with secure, secure.cursor() as cursor:
        cursor.execute("show status like 'Ssl_cipher'")
        cipher = cursor.fetchone()[1] != ""
    with (
        mysql.connector.connect(**settings, database="trine", ssl_disabled=True) as other,
        other.cursor(dictionary=True) as cursor,
    ):
        cursor.execute("select %s as a", ("x",))
        third = cursor.fetchall()
    return [rows, failed, cipher, asyncio.run(main()), third]
