# django: its admin on SQLite, forms, sessions in the database, under both interfaces
# server: asgi, wsgi
import hashlib
import os
import pathlib
import tempfile
import threading

import django
from django.conf import settings

HERE = pathlib.Path(__file__).resolve().parent

settings.configure(
    DEBUG=True,
    SECRET_KEY="secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(tempfile.mkdtemp(), "db.sqlite3"),
        }
    },
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    STATIC_URL="/static/",
    STATICFILES_DIRS=[HERE / "static"],
    USE_TZ=True,
)
django.setup()

from django import forms  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.staticfiles.views import serve  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402


def prepare():
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("ada", "ada@example.test", "lovelace")


# Beside the loop in which a server may load this, where Django refuses to wait for a database.
preparing = threading.Thread(target=prepare)
preparing.start()
preparing.join()


class Item(forms.Form):
    name = forms.CharField()
    price = forms.FloatField(min_value=0)


def hello(request):
    return JsonResponse({"hello": request.GET.get("name", "world"), "url": request.build_absolute_uri()})


def upload(request):
    file = request.FILES["file"]
    told = {"title": request.POST["title"], "filename": file.name, "type": file.content_type, "size": file.size}
    return JsonResponse(told)


def login(request):
    request.session["user"] = request.GET["user"]
    return JsonResponse({"ok": True})


def me(request):
    if "user" not in request.session:
        return HttpResponse("who are you?", status=401)
    return JsonResponse({"user": request.session["user"]})


def stream(request):
    if hasattr(request, "scope"):

        async def rows():
            for number in range(5):
                yield f"row {number}\n"

        return StreamingHttpResponse(rows(), content_type="text/plain")
    return StreamingHttpResponse((f"row {number}\n" for number in range(5)), content_type="text/plain")


def error(request):
    raise ValueError("an error of the application")


def old(request):
    return HttpResponseRedirect("/json?name=redirected")


def large(request):
    digest, size = hashlib.sha256(), 0
    while piece := request.read(65536):
        digest.update(piece)
        size += len(piece)
    return JsonResponse({"size": size, "sha256": digest.hexdigest()})


def items(request):
    form = Item(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    return JsonResponse(form.cleaned_data, status=201)


urlpatterns = [
    path("admin/", admin.site.urls),
    path("json", hello),
    path("upload", upload),
    path("login", login),
    path("me", me),
    path("stream", stream),
    path("error", error),
    path("old", old),
    path("large", large),
    path("items", items),
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
]

asgi = get_asgi_application()
wsgi = get_wsgi_application()
