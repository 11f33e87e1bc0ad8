# cryptography, pynacl, pycryptodome, pyopenssl: ciphers, signatures, certificates, boxes
import datetime
import nacl.secret
import nacl.signing
import OpenSSL.crypto
from Crypto.Cipher import AES
from Crypto.PublicKey import RSA
from cryptography import x509
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt


def handler(event, context):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.test")])
    start = datetime.datetime(2026, 1, 1)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), 7, start, start + datetime.timedelta(days=1)
    ).sign(key, hashes.SHA256())
    certificate.verify_directly_issued_by(certificate)
    fernet = Fernet(Fernet.generate_key())
    try:
        fernet.decrypt(b"x")
    except InvalidToken as error:
        bad = type(error).__name__
    gcm = AES.new(b"k" * 16, AES.MODE_GCM, nonce=b"n" * 12)
    secret = nacl.signing.SigningKey(b"s" * 32)
    return [
        AESGCM(b"k" * 16).encrypt(b"n" * 12, b"hush", None).hex(),
        gcm.encrypt(b"hush").hex(),
        gcm.digest().hex(),
        fernet.decrypt(fernet.encrypt(b"x")).decode(),
        bad,
        Scrypt(b"salt", 16, 2**4, 8, 1).derive(b"p").hex(),
        secret.sign(b"m").signature.hex()[:20],
        nacl.secret.SecretBox(b"k" * 32).encrypt(b"x", b"n" * 24).hex(),
        RSA.generate(1024).can_sign(),
        OpenSSL.crypto.X509.from_cryptography(certificate).get_subject().CN,
    ]
