# responses, respx, requests-mock: mocks of clients
import httpx
import requests
import requests_mock
import responses
import respx


@responses.activate
def first():
    responses.get("http://m/a", json={"a": 1})
    return requests.get("http://m/a").json()


@respx.mock
def second():
    respx.get("http://m/b").mock(return_value=httpx.Response(201))
    return httpx.get("http://m/b").status_code


def handler(event, context):
    with requests_mock.Mocker() as mocker:
        mocker.get("http://m/c", text="c")
        third = requests.get("http://m/c").text
    return [first(), second(), third]
