# peewee, tortoise-orm, aiosqlite: models over PostgreSQL and SQLite
# needs: postgres
import asyncio
import os
import aiosqlite
import peewee
from playhouse.db_url import connect
from tortoise import Tortoise, fields
from tortoise.models import Model


class Hero(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=20)


async def main():
    await Tortoise.init(db_url="sqlite://:memory:", modules={"models": [__name__]})
    await Tortoise.generate_schemas()
    await Hero.bulk_create([Hero(name="a"), Hero(name="b")])
    names = await Hero.filter(name__gt="a").values_list("name", flat=True)
    await Tortoise.close_connections()
    async with aiosqlite.connect(":memory:") as db:
        await db.execute("create table t (n)")
        await db.executemany("insert into t values (?)", [(1,), (2,)])
        async with db.execute("select sum(n) from t") as cursor:
            return [names, await cursor.fetchone()]


def handler(event, context):
    database = connect(os.environ["POSTGRES_URL"])

    class Pet(peewee.Model):
        name = peewee.CharField()
        age = peewee.IntegerField(default=1)

        class Meta:
            table_name = "py_peewee"

    Pet.bind(database)
    with database:
        database.drop_tables([Pet])
        database.create_tables([Pet])
        Pet.insert_many([{"name": "a"}, {"name": "b", "age": 3}]).execute()
        found = list(
            Pet.select(Pet.name, peewee.fn.SUM(Pet.age).alias("sum")).group_by(Pet.name).order_by(Pet.name).dicts()
        )
    return [found, asyncio.run(main())]
