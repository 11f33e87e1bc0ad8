# falcon: resources, media handlers, streams
# server: wsgi
import hashlib
import pathlib

import falcon


class Hello:
    def on_get(self, request, response):
        response.media = {"hello": request.get_param("name", default="world"), "path": request.path}


class Upload:
    def on_post(self, request, response):
        told = {}
        for part in request.get_media():
            if part.name == "title":
                told["title"] = part.text
            else:
                told |= {"filename": part.filename, "type": part.content_type, "size": len(part.stream.read())}
        response.media = told


class Login:
    def on_get(self, request, response):
        response.set_cookie("user", request.get_param("user"), secure=False)
        response.media = {"ok": True}


class Me:
    def on_get(self, request, response):
        if "user" not in request.cookies:
            raise falcon.HTTPUnauthorized(title="who are you?")
        response.media = {"user": request.cookies["user"]}


class Stream:
    def on_get(self, request, response):
        response.content_type = "text/plain"
        response.stream = (b"row %d\n" % number for number in range(5))


class Failure:
    def on_get(self, request, response):
        raise ValueError("an error of the application")


class Old:
    def on_get(self, request, response):
        raise falcon.HTTPFound("/json?name=redirected")


class Large:
    def on_post(self, request, response):
        body = request.bounded_stream.read()
        response.media = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


class Items:
    def on_post(self, request, response):
        item = request.get_media()
        if not item.get("name"):
            raise falcon.HTTPUnprocessableEntity(description="name is needed")
        response.status, response.media = 201, {"name": item["name"]}


app = falcon.App()
for path, resource in {
    "/json": Hello(),
    "/upload": Upload(),
    "/login": Login(),
    "/me": Me(),
    "/stream": Stream(),
    "/error": Failure(),
    "/old": Old(),
    "/large": Large(),
    "/items": Items(),
}.items():
    app.add_route(path, resource)
app.add_static_route("/static", pathlib.Path(__file__).parent / "static")
