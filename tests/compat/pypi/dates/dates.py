# python-dateutil, pendulum, arrow, pytz, dateparser, holidays, croniter, humanize: dates in zones, languages and schedules
import datetime
import arrow
import croniter
import dateparser
import holidays
import humanize
import pendulum
import pytz
from dateutil import parser, relativedelta, rrule, tz


def handler(event, context):
    base = datetime.datetime(2026, 3, 29, 1, 30)
    return [
        parser.parse("5 Jan 2026 3pm").isoformat(),
        (base + relativedelta.relativedelta(months=1, weekday=relativedelta.MO)).isoformat(),
        [str(date.date()) for date in rrule.rrule(rrule.WEEKLY, count=2, dtstart=base)],
        base.replace(tzinfo=tz.gettz("Europe/Berlin")).utcoffset().seconds,
        pendulum.datetime(2026, 3, 29, 1, 30, tz="Europe/Berlin").add(hours=1).isoformat(),
        pendulum.duration(days=9).in_words("de"),
        arrow.get(base).to("Asia/Tokyo").format("YYYY-MM-DD HH:mm ZZ"),
        arrow.get(base).humanize(arrow.get(base).shift(days=2), locale="fr"),
        pytz.timezone("America/New_York").localize(base).isoformat(),
        dateparser.parse("12 février 2026").date().isoformat(),
        holidays.country_holidays("DE").get("2026-12-25"),
        croniter.croniter("*/20 4 * * 1", base).get_next(datetime.datetime).isoformat(),
        humanize.naturalsize(123456),
        humanize.naturaldelta(datetime.timedelta(hours=3)),
    ]
