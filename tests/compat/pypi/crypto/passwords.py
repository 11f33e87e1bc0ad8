# bcrypt, argon2-cffi, passlib: hashes of passwords
import argon2
import bcrypt
from passlib.hash import pbkdf2_sha256, sha512_crypt


def handler(event, context):
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    hashed = hasher.hash("secret", salt=b"s" * 16)
    try:
        hasher.verify(hashed, "wrong")
    except argon2.exceptions.VerifyMismatchError as error:
        wrong = type(error).__name__
    return [
        hashed,
        wrong,
        bcrypt.hashpw(b"a", b"$2b$04$abcdefghijklmnopqrstuu").decode(),
        bcrypt.checkpw(b"b", bcrypt.hashpw(b"a", bcrypt.gensalt(4))),
        pbkdf2_sha256.using(rounds=10, salt=b"s").hash("a"),
        sha512_crypt.verify("a", sha512_crypt.using(rounds=1000).hash("a")),
    ]
