# strawberry-graphql, ariadne, graphene, gql: schemas of types, of texts and of classes; queries, subscriptions, errors, a client
import asyncio
import os
import ariadne
import graphene
import strawberry
from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport


@strawberry.type
class Pet:
    id: int
    name: str


@strawberry.type
class Query:
    @strawberry.field
    async def pet(self, id: int) -> Pet:
        return Pet(id=id, name="Rex")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> int:
        for n in range(to):
            yield n


async def subscribe(schema):
    return [result.data async for result in await schema.subscribe("subscription { count(to: 2) }")]


class Root(graphene.ObjectType):
    hello = graphene.String(name=graphene.String(default_value="you"))

    def resolve_hello(root, info, name):
        return f"hello {name}"


def handler(event, context):
    schema = strawberry.Schema(Query, subscription=Subscription)
    query = ariadne.QueryType()
    query.set_field("double", lambda _, info, n: 2 * n)
    texts = ariadne.make_executable_schema("type Query { double(n: Int!): Int }", query)
    _, found = ariadne.graphql_sync(texts, {"query": "{ double(n: 21) }"})
    client = Client(transport=RequestsHTTPTransport(f"{os.environ['API_URL']}/graph"))
    return [
        asyncio.run(schema.execute("{ pet(id: 7) { id name } }")).data,
        asyncio.run(subscribe(schema)),
        found,
        graphene.Schema(query=Root).execute('{ hello(name: "x") }').data,
        graphene.Schema(query=Root).execute("{ no }").errors[0].message,
        client.execute(gql('{ pet(id: "1") { name } }')),
    ]
