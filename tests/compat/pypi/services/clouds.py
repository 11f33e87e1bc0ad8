# google-cloud-storage, azure-storage-blob, firebase-admin, gspread, google-api-python-client: signed addresses and tokens with keys of our own
import base64
import datetime
import azure.storage.blob
import firebase_admin
import firebase_admin.auth
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud import storage
from google.oauth2 import service_account


def handler(event, context):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    info = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "k",
        "private_key": pem,
        "client_email": "a@b.test",
        "client_id": "1",
        "token_uri": "https://a.test/token",
    }
    client = storage.Client("p", service_account.Credentials.from_service_account_info(info))
    url = client.bucket("b").blob("f").generate_signed_url(datetime.timedelta(minutes=1), version="v4")
    sas = azure.storage.blob.generate_blob_sas(
        "acc",
        "c",
        "b",
        account_key=base64.b64encode(b"k").decode(),
        permission="r",
        expiry=datetime.datetime(2030, 1, 1),
    )
    app = firebase_admin.initialize_app(firebase_admin.credentials.Certificate(info), name=f"a{event['call']}")
    token = firebase_admin.auth.create_custom_token("me", {"a": 1}, app=app)
    firebase_admin.delete_app(app)
    return [
        url.split("?")[0],
        sas[-60:-40].count("&") >= 0 and "sig=" in sas,
        jwt.decode(token, options={"verify_signature": False})["uid"],
    ]
