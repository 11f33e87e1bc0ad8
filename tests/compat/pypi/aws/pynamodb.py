# pynamodb: models over tables of moto
# needs: aws
import os
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model


class Pet(Model):
    class Meta:
        table_name = "py-pynamo"
        host = os.environ["AWS_ENDPOINT_URL"]
        region = "us-east-1"
        billing_mode = "PAY_PER_REQUEST"

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    age = NumberAttribute(default=1)
    data = JSONAttribute(null=True)


def handler(event, context):
    if not Pet.exists():
        Pet.create_table(wait=True)
    with Pet.batch_write() as batch:
        for name in ("Rex", "Tom"):
            batch.save(Pet("dog", name, data={"n": [1]}))
    try:
        Pet("dog", "Rex").save(condition=Pet.name.does_not_exist())
    except PutError as error:
        refused = error.cause_response_code
    Pet.get("dog", "Rex").update(actions=[Pet.age.set(7)])
    return [[(pet.name, pet.age, pet.data) for pet in Pet.query("dog", Pet.name > "A")], refused]
