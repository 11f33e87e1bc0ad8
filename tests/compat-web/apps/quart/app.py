# quart: Flask's interface with coroutines, sessions in a signed cookie
# server: asgi
import hashlib

from quart import Quart, abort, jsonify, redirect, request, session

app = Quart(__name__)
app.secret_key = "secret"
app.config["MAX_CONTENT_LENGTH"] = None


@app.before_serving
async def start():
    app.started = True


@app.get("/json")
async def hello():
    return jsonify(hello=request.args.get("name", "world"), path=request.path, started=app.started)


@app.post("/upload")
async def upload():
    form, files = await request.form, await request.files
    file = files["file"]
    return jsonify(title=form["title"], filename=file.filename, type=file.content_type, size=len(file.read()))


@app.get("/login")
async def login():
    session["user"] = request.args["user"]
    return jsonify(ok=True)


@app.get("/me")
async def me():
    if "user" not in session:
        abort(401)
    return jsonify(user=session["user"])


@app.get("/stream")
async def stream():
    async def rows():
        for number in range(5):
            yield f"row {number}\n"

    return rows(), {"content-type": "text/plain"}


@app.get("/error")
async def error():
    raise ValueError("an error of the application")


@app.get("/old")
async def old():
    return redirect("/json?name=redirected")


@app.post("/large")
async def large():
    body = await request.get_data()
    return jsonify(size=len(body), sha256=hashlib.sha256(body).hexdigest())


@app.post("/items")
async def items():
    item = await request.get_json()
    if not item.get("name"):
        return jsonify(error="name is needed"), 422
    return jsonify(name=item["name"]), 201
