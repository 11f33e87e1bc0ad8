# chalice: an application as its own entry, HTTP requests and queue events
import json
from chalice import BadRequestError, Chalice

app = Chalice(app_name="pets")


@app.route("/pets/{id}", methods=["GET", "POST"])
def pet(id):
    if id == "0":
        raise BadRequestError("none")
    return {"id": id, "body": app.current_request.json_body, "q": app.current_request.query_params}


@app.on_sqs_message(queue="q")
def queue(event):
    return [record.body for record in event]


def handler(event, context):
    def ask(method, id, body=None):
        reply = app(
            {
                "resource": "/pets/{id}",
                "path": f"/pets/{id}",
                "httpMethod": method,
                "headers": {"content-type": "application/json"},
                "multiValueQueryStringParameters": {"q": ["1"]},
                "pathParameters": {"id": id},
                "stageVariables": None,
                "body": body,
                "isBase64Encoded": False,
                "requestContext": {"httpMethod": method, "resourcePath": "/pets/{id}", "path": "/"},
            },
            context,
        )
        return [reply["statusCode"], reply["body"]]

    return [
        ask("GET", "7"),
        ask("POST", "8", json.dumps({"n": 1})),
        ask("GET", "0"),
        queue({"Records": [{"body": "m", "receiptHandle": "r"}]}, context),
    ]
