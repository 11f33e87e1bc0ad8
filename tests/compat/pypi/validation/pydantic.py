# pydantic, pydantic-settings, email-validator: models, validators, unions, settings, JSON Schema, errors
from typing import Annotated, Literal
from pydantic import BaseModel, EmailStr, Field, TypeAdapter, ValidationError, computed_field, field_validator
from pydantic_settings import BaseSettings


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: Annotated[str, Field(min_length=2)]
    owner: EmailStr | None = None

    @field_validator("name")
    @classmethod
    def trim(cls, value):
        return value.strip()

    @computed_field
    @property
    def loud(self) -> str:
        return self.name.upper()


class Settings(BaseSettings):
    aws_region: str


def handler(event, context):
    pet = TypeAdapter(Annotated[Cat | Dog, Field(discriminator="kind")])
    try:
        Dog.model_validate({"kind": "dog", "name": "x", "owner": "no"})
    except ValidationError as error:
        wrong = [(item["type"], item["loc"]) for item in error.errors()]
    return [
        pet.validate_python({"kind": "dog", "name": " Rex "}).model_dump(),
        pet.validate_json('{"kind":"cat"}').lives,
        wrong,
        Settings().aws_region,
        Cat.model_json_schema(),
    ]
