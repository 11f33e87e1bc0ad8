# pyjwt, python-jose, authlib, google-auth, oauthlib, requests-oauthlib, pyotp: tokens of each kind, keys and key sets, signatures, one-time passwords
import authlib.jose
import jose.jwt
import jwt
import oauthlib.oauth1
import pyotp
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from google.auth import crypt
from google.auth import jwt as google_jwt
from requests_oauthlib import OAuth2Session
from cryptography.hazmat.primitives import serialization


def handler(event, context):
    told = []
    keys = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    for algorithm, key in keys.items():
        token = jwt.encode({"sub": "me", "aud": "a"}, key, algorithm, headers={"kid": "k"})
        told.append(
            [jwt.decode(token, key.public_key(), [algorithm], audience="a")["sub"], jwt.get_unverified_header(token)]
        )
    for payload in ({"exp": 1}, {"aud": "b"}):
        try:
            jwt.decode(jwt.encode(payload, "s" * 32, "HS256"), "s" * 32, ["HS256"], audience="a")
        except jwt.PyJWTError as error:
            told.append(type(error).__name__)
    pem = keys["RS256"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told.append(jose.jwt.decode(jose.jwt.encode({"a": 1}, "s", "HS256"), "s", "HS256"))
    told.append(
        authlib.jose.jwt.decode(
            authlib.jose.jwt.encode({"alg": "RS256"}, {"a": 2}, pem),
            keys["RS256"]
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        )["a"]
    )
    signer = crypt.RSASigner.from_string(pem, "k")
    told.append(google_jwt.decode(google_jwt.encode(signer, {"x": 1}), verify=False)["x"])
    _, headers, _ = oauthlib.oauth1.Client("k", "s", nonce="n", timestamp="1").sign("http://a.test/")
    told += [
        headers["Authorization"][-40:],
        OAuth2Session("c", redirect_uri="https://a.test").authorization_url("https://b.test/auth", state="s")[0],
        pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").at(0),
    ]
    return told
