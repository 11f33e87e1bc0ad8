# bottle: signed cookies, static files, generators as answers
# server: wsgi
import hashlib
import pathlib

from bottle import BaseRequest, Bottle, HTTPError, HTTPResponse, redirect, request, response, static_file

BaseRequest.MEMFILE_MAX = 1 << 24
app = Bottle()
STATIC = pathlib.Path(__file__).parent / "static"


@app.get("/json")
def hello():
    return {"hello": request.query.name or "world", "path": request.path}


@app.post("/upload")
def upload():
    file = request.files["file"]
    size = len(file.file.read())
    return {"title": request.forms.title, "filename": file.filename, "type": file.content_type, "size": size}


@app.get("/login")
def login():
    response.set_cookie("user", request.query.user, secret="secret")
    return {"ok": True}


@app.get("/me")
def me():
    user = request.get_cookie("user", secret="secret")
    if not user:
        raise HTTPError(401, "who are you?")
    return {"user": user}


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    for number in range(5):
        yield f"row {number}\n"


@app.get("/error")
def error():
    raise ValueError("an error of the application")


@app.get("/old")
def old():
    redirect("/json?name=redirected", 302)


@app.post("/large")
def large():
    body = request.body.read()
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@app.post("/items")
def items():
    item = request.json
    if not item.get("name"):
        return HTTPResponse({"error": "name is needed"}, 422)
    response.status = 201
    return {"name": item["name"]}


@app.get("/static/<path:path>")
def static(path):
    return static_file(path, STATIC)
