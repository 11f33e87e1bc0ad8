import time

from apig_wsgi import make_lambda_handler
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/pets/<id>")
def pet(id):
    time.sleep(0.005)
    return jsonify(framework="flask", id=id, colour=request.args.get("colour"))


@app.post("/pets")
def add():
    response = jsonify(framework="flask", added=request.json["name"])
    response.set_cookie("last", request.json["name"])
    return response, 201


handler = make_lambda_handler(app)
