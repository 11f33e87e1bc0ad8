"""Notes, with Flask."""

import time

from flask import Flask, abort, jsonify, request

app = Flask(__name__)
notes = {}


@app.get("/")
def hello():
    return jsonify(message=f"Hello, {request.args.get('name', 'world')}!")


@app.post("/notes")
def add():
    note = request.get_json()
    if not isinstance(note.get("title"), str):
        abort(422, "a note needs a title")
    number = len(notes) + 1
    notes[number] = {"title": note["title"], "done": bool(note.get("done"))}
    return jsonify(id=number), 201


@app.get("/notes/<int:number>")
def read(number):
    if number not in notes:
        abort(404, "there is no such note")
    return jsonify(notes[number])


@app.get("/countdown")
def countdown():
    def seconds():
        for left in range(3, 0, -1):
            yield f"{left}\n"
            time.sleep(0.1)
        yield "lift-off\n"

    return seconds(), {"content-type": "text/plain"}
