# django, djangorestframework, django-ninja: models in SQLite, views, templates, a REST API
import os
import tempfile
import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        DEBUG=False,
        SECRET_KEY="s",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(tempfile.mkdtemp(), "db")}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": []},
    )
    django.setup()

from django.db import connection, models, transaction
from django.http import JsonResponse
from django.template import Context, Template
from django.test import Client
from django.urls import path
from ninja import NinjaAPI, Schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.response import Response


class Pet(models.Model):
    name = models.CharField(max_length=20)
    age = models.IntegerField(default=1)

    class Meta:
        app_label = "pets"


class PetSerializer(serializers.ModelSerializer):
    class Meta:
        model = Pet
        fields = ["name", "age"]


@api_view(["GET", "POST"])
def rest(request):
    if request.method == "POST":
        serializer = PetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save()
    return Response(PetSerializer(Pet.objects.order_by("name"), many=True).data)


class Sum(Schema):
    a: int
    b: int


ninja = NinjaAPI()


@ninja.post("/add")
def add(request, data: Sum):
    return {"sum": data.a + data.b}


urlpatterns = [
    path("hello/<str:name>/", lambda request, name: JsonResponse({"hello": name, "q": request.GET.get("q")})),
    path("pets/", rest),
    path("api/", ninja.urls),
]


def handler(event, context):
    if "pets_pet" not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Pet)
    Pet.objects.all().delete()
    client = Client()
    try:
        with transaction.atomic():
            Pet.objects.create(name="lost")
            raise ValueError
    except ValueError:
        pass
    posted = client.post("/pets/", {"name": "Rex", "age": 3}, content_type="application/json").json()
    refused = client.post("/pets/", {"age": "x"}, content_type="application/json")
    return [
        client.get("/hello/ä/?q=1").json(),
        posted,
        refused.status_code,
        client.post("/api/add", {"a": 1, "b": 2}, content_type="application/json").json(),
        client.get("/none").status_code,
        Pet.objects.aggregate(models.Sum("age")),
        Template("{% for p in pets %}{{ p.name|upper }}{% endfor %}").render(Context({"pets": Pet.objects.all()})),
    ]
