# psutil, watchdog, schedule, apscheduler, babel, pycountry, geopy: the process, files that are watched, schedules, languages and places
import os
import tempfile
import threading
import babel.dates
import babel.numbers
import datetime
import geopy.distance
import psutil
import pycountry
import schedule
from apscheduler.schedulers.background import BackgroundScheduler
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer


def handler(event, context):
    seen = threading.Event()

    class Watch(FileSystemEventHandler):
        def on_created(self, event):
            seen.set()

    with tempfile.TemporaryDirectory() as folder:
        observer = Observer()
        observer.schedule(Watch(), folder)
        observer.start()
        open(os.path.join(folder, "a"), "w").close()
        watched = seen.wait(5)
        observer.stop()
        observer.join()
    ran = []
    schedule.every(1).seconds.do(lambda: ran.append("s"))
    schedule.run_all()
    schedule.clear()
    done = threading.Event()
    scheduler = BackgroundScheduler()
    scheduler.add_job(done.set, "date", run_date=datetime.datetime.now(datetime.timezone.utc))
    scheduler.start()
    fired = done.wait(5)
    scheduler.shutdown()
    return [
        watched,
        ran,
        fired,
        psutil.Process().pid == os.getpid(),
        psutil.virtual_memory().total > 0,
        babel.dates.format_date(datetime.date(2026, 1, 5), "full", "de"),
        babel.numbers.format_currency(1234.5, "EUR", locale="fr"),
        pycountry.countries.get(alpha_2="DE").name,
        round(geopy.distance.distance((52.5, 13.4), (48.9, 2.4)).km),
    ]
