# python-ulid, nanoid, shortuuid, faker, freezegun: ids, made-up data, a clock that stands
import datetime
import time
import uuid
import faker
import freezegun
import nanoid
import shortuuid
import ulid


def handler(event, context):
    fake = faker.Faker("de_DE")
    fake.seed_instance(7)
    with freezegun.freeze_time("2026-01-01 12:00:00"):
        frozen = [datetime.datetime.now().isoformat(), time.time()]
    return [
        ulid.ULID.from_timestamp(1234).timestamp,
        len(nanoid.generate(size=10)),
        shortuuid.decode(shortuuid.encode(uuid.UUID(int=7))).int,
        fake.name(),
        fake.iban(),
        frozen,
        datetime.datetime.now().year >= 2026,
    ]
