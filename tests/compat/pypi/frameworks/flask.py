# flask, flask-cors, flask-restful, apig-wsgi, werkzeug: routes, JSON, cookies, uploads, errors behind payload format 2.0
import io
from apig_wsgi import make_lambda_handler
from flask import Flask, abort, jsonify, request, session
from flask_cors import CORS
from flask_restful import Api, Resource

app = Flask(__name__)
app.secret_key = "s"
CORS(app)


@app.get("/pets/<int:id>")
def pet(id):
    session["last"] = id
    return jsonify(id=id, colour=request.args.get("colour"))


@app.post("/upload")
def upload():
    return {"size": len(request.files["f"].read()), "field": request.form["a"]}


@app.get("/fail")
def fail():
    abort(418)


class Things(Resource):
    def get(self, name):
        return {"thing": name}


Api(app).add_resource(Things, "/things/<name>")
proxy = make_lambda_handler(app)


def handler(event, context):
    def ask(path, query=""):
        http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"}
        reply = proxy(
            {
                "version": "2.0",
                "rawPath": path,
                "rawQueryString": query,
                "headers": {"host": "h"},
                "requestContext": {"http": http},
                "isBase64Encoded": False,
            },
            context,
        )
        return [reply["statusCode"], reply["body"], len(reply.get("cookies", []))]

    client = app.test_client()
    uploaded = client.post("/upload", data={"a": "b", "f": (io.BytesIO(b"content"), "a.txt")}).json
    return [ask("/pets/7", "colour=red"), ask("/things/x"), ask("/fail")[0], ask("/nothing")[0], uploaded]
