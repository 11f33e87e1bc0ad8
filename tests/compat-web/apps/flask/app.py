# flask: sessions in a signed cookie, a template, generators as answers
# server: wsgi
import hashlib

from flask import Flask, abort, jsonify, redirect, render_template_string, request, session, stream_with_context

app = Flask(__name__)
app.secret_key = "secret"


@app.get("/json")
def hello():
    return jsonify(hello=request.args.get("name", "world"), path=request.path, url=request.url_root)


@app.post("/upload")
def upload():
    file = request.files["file"]
    return jsonify(
        title=request.form["title"], filename=file.filename, type=file.content_type, size=len(file.read())
    )


@app.get("/login")
def login():
    session["user"] = request.args["user"]
    return jsonify(ok=True)


@app.get("/me")
def me():
    if "user" not in session:
        abort(401)
    return jsonify(user=session["user"])


@app.get("/page")
def page():
    return render_template_string("<h1>{{ title }}</h1>", title="<Welcome>")


@app.get("/stream")
def stream():
    @stream_with_context
    def rows():
        for number in range(5):
            yield f"row {number} of {request.path}\n"

    return rows(), {"content-type": "text/plain"}


@app.get("/error")
def error():
    raise ValueError("an error of the application")


@app.get("/old")
def old():
    return redirect("/json?name=redirected")


@app.post("/large")
def large():
    digest, size = hashlib.sha256(), 0
    while piece := request.stream.read(65536):
        digest.update(piece)
        size += len(piece)
    return jsonify(size=size, sha256=digest.hexdigest())


@app.post("/items")
def items():
    item = request.get_json()
    if not item.get("name"):
        return jsonify(error="name is needed"), 422
    return jsonify(name=item["name"]), 201
