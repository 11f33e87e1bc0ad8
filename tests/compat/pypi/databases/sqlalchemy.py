# sqlalchemy, alembic, sqlmodel: tables, mapped classes, relations, transactions over PostgreSQL, MariaDB and SQLite, asynchronously; a migration
# needs: postgres, mariadb
import asyncio
import os
import sqlalchemy as sa
import sqlmodel
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

POSTGRES = os.environ["POSTGRES_URL"].replace("postgres://", "postgresql+{}://")
URLS = [
    POSTGRES.format("psycopg"),
    POSTGRES.format("psycopg2"),
    os.environ["MYSQL_URL"].replace("mysql://", "mysql+pymysql://"),
    "sqlite://",
]


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "py_sa_owner"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    pets: Mapped[list["Pet"]] = relationship(back_populates="owner", cascade="all")


class Pet(Base):
    __tablename__ = "py_sa_pet"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    data: Mapped[dict | None] = mapped_column(sa.JSON)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("py_sa_owner.id"))
    owner: Mapped[Owner] = relationship(back_populates="pets")


if "py_sm" not in sqlmodel.SQLModel.metadata.tables:

    class Hero(sqlmodel.SQLModel, table=True):
        __tablename__ = "py_sm"
        id: int | None = sqlmodel.Field(default=None, primary_key=True)
        name: str


async def later():
    engine = create_async_engine(POSTGRES.format("asyncpg"))
    async with AsyncSession(engine) as session:
        owners = (await session.scalars(sa.select(Owner).options(selectinload(Owner.pets)))).all()
        told = [(owner.name, [pet.name for pet in owner.pets]) for owner in owners]
    await engine.dispose()
    return told


def handler(event, context):
    told = []
    for url in URLS:
        engine = sa.create_engine(url)
        Base.metadata.drop_all(engine)
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(Owner(name="Ann", pets=[Pet(name="Rex", data={"a": [1]}), Pet(name="Tom")]))
            session.commit()
            session.execute(sa.delete(Pet))
            session.rollback()
            rows = session.execute(sa.select(Owner.name, sa.func.count(Pet.id)).join(Pet).group_by(Owner.name)).all()
            told.append(
                [[tuple(row) for row in rows], session.scalars(sa.select(Pet.data).where(Pet.name == "Rex")).one()]
            )
        engine.dispose()
    told.append(asyncio.run(later()))
    engine = sa.create_engine("sqlite://")
    sqlmodel.SQLModel.metadata.create_all(engine, tables=[Hero.__table__])
    with sqlmodel.Session(engine) as session:
        session.add(Hero(name="h"))
        session.commit()
        told.append([hero.name for hero in session.exec(sqlmodel.select(Hero))])
    with engine.begin() as connection:
        Operations(MigrationContext.configure(connection)).add_column(
            "py_sm", sa.Column("age", sa.Integer, server_default="3")
        )
        told.append(connection.execute(sa.text("select name, age from py_sm")).one()._asdict())
    return told
