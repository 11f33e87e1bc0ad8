# falcon, bottle, pyramid, a2wsgi, itsdangerous: applications of WSGI and ASGI, called in the process
import bottle
import falcon
import falcon.testing
from a2wsgi import ASGIMiddleware
from itsdangerous import BadSignature, URLSafeTimedSerializer
from pyramid.config import Configurator
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from werkzeug.test import Client


class Pets:
    def on_get(self, request, response, id):
        response.media = {"id": id, "q": request.get_param("q")}


def handler(event, context):
    app = falcon.App()
    app.add_route("/pets/{id:int}", Pets())
    small = bottle.Bottle()
    small.route("/hello/<name>", callback=lambda name: bottle.template("Hi {{name}}", name=name))
    config = Configurator()
    config.add_route("p", "/p/{x}")
    config.add_view(lambda request: {"x": request.matchdict["x"]}, route_name="p", renderer="json")
    asgi = ASGIMiddleware(Starlette(routes=[Route("/", lambda request: PlainTextResponse("asgi"))]))
    signer = URLSafeTimedSerializer("s")
    try:
        signer.loads("x")
    except BadSignature as error:
        bad = type(error).__name__
    return [
        falcon.testing.TestClient(app).simulate_get("/pets/7", query_string="q=1").json,
        Client(small).get("/hello/<b>").text,
        Client(config.make_wsgi_app()).get("/p/1").json,
        Client(asgi).get("/").text,
        signer.loads(signer.dumps([1])),
        bad,
    ]
