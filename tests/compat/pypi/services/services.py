# stripe, twilio, slack-sdk, pygithub, sendgrid, hvac, notion-client: clients of services, against an API of ours; signatures of webhooks
import os
import time
import hvac
import notion_client
import requests
import sendgrid
import stripe
import twilio.request_validator
import twilio.twiml.voice_response
from github import Github
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

API = os.environ["API_URL"]


def handler(event, context):
    stripe.api_key, stripe.api_base, stripe.max_network_retries = "sk_test", API, 0
    stripe.Customer.create(email="a@b.test")
    asked = [
        text for text in requests.get(f"{API}/taken/v1").json() if "customers" in text and "email=a%40b.test" in text
    ]
    try:
        stripe.Webhook.construct_event("{}", "t=1,v1=x", "whsec")
    except stripe.SignatureVerificationError as error:
        refused = type(error).__name__
    try:
        WebClient("t", base_url=f"{API}/slack/").chat_postMessage(channel="c", text="é")
    except SlackApiError as error:
        slack = type(error).__name__
    now = str(int(time.time()))
    verifier = SignatureVerifier("s")
    github = Github(base_url=f"{API}/github").requester.requestJsonAndCheck("GET", "/zen")[1]
    mail = sendgrid.SendGridAPIClient("k", host=API).client.mail.send.post(request_body={"a": 1}).status_code
    vault = hvac.Client(f"{API}/vault", token="t").secrets.kv.v1.read_secret("x")
    notion = notion_client.Client(auth="t", base_url=API).request("hello", "GET")
    voice = twilio.twiml.voice_response.VoiceResponse()
    voice.say("é")
    return [
        bool(asked),
        refused,
        slack,
        verifier.is_valid("{}", now, verifier.generate_signature(timestamp=now, body="{}")),
        sorted(github),
        mail,
        sorted(vault),
        sorted(notion),
        str(voice),
        twilio.request_validator.RequestValidator("t").validate("https://a.test", {}, "x"),
    ]
