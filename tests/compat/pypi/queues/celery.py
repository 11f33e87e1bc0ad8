# celery, rq: tasks through Redis, taken by workers in threads and in the process
# needs: redis
import os
import celery
import redis
import rq
from celery.contrib.testing.worker import start_worker

app = celery.Celery("t", broker=os.environ["REDIS_URL"] + "/1", backend=os.environ["REDIS_URL"] + "/2")
app.conf.update(broker_connection_retry_on_startup=True, task_default_queue=f"q{os.getpid()}")


@app.task(name="add")
def add(a, b):
    return a + b


@app.task(name="flaky", bind=True, max_retries=3)
def flaky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return self.request.retries


def double(n):
    return 2 * n


def handler(event, context):
    with start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=20):
        told = [
            add.delay(1, 2).get(timeout=20),
            celery.chain(add.s(1, 1), add.s(5))().get(timeout=20),
            flaky.delay().get(timeout=20),
        ]
    connection = redis.from_url(os.environ["REDIS_URL"])
    queue = rq.Queue(f"rq{os.getpid()}", connection=connection)
    job = queue.enqueue("math.factorial", 5)
    rq.SimpleWorker([queue], connection=connection).work(burst=True)
    return told + [job.return_value()]
