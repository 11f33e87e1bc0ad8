# cachetools, aiocache, aiofiles, wrapt, pluggy, injector, dependency-injector: caches, files, wrappers, plugins, injection
import asyncio
import aiocache
import aiofiles
import cachetools
import injector
import pluggy
import wrapt
from dependency_injector import containers, providers

calls = []


@aiocache.cached()
async def slow(n):
    calls.append(n)
    return n


async def main():
    async with aiofiles.tempfile.NamedTemporaryFile("w+") as file:
        await file.write("é")
        await file.seek(0)
        return [await slow(1), await slow(1), await file.read()]


@wrapt.decorator
def loud(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs).upper()


class Service:
    @loud
    def say(self):
        return "hi"


class Box(containers.DeclarativeContainer):
    config = providers.Configuration()
    service = providers.Singleton(Service)


class Uses:
    @injector.inject
    def __init__(self, service: Service):
        self.service = service


hook = pluggy.HookspecMarker("p")
impl = pluggy.HookimplMarker("p")


class Spec:
    @hook
    def double(self, n):
        pass


class Plugin:
    @impl
    def double(self, n):
        return 2 * n


def handler(event, context):
    cache = cachetools.TTLCache(2, 60)
    for n in range(3):
        cache[n] = n
    manager = pluggy.PluginManager("p")
    manager.add_hookspecs(Spec)
    manager.register(Plugin())
    box = Box()
    return [
        list(cache),
        asyncio.run(main()),
        Service().say(),
        box.service() is box.service(),
        injector.Injector().get(Uses).service.say(),
        manager.hook.double(n=21),
    ]
