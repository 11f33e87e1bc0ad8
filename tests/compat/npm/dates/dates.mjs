// dayjs, luxon, date-fns, ms, @js-temporal/polyfill: dates in time zones, languages and formats
import dayjs from "dayjs";
import utc from "dayjs/plugin/utc.js";
import timezone from "dayjs/plugin/timezone.js";
import "dayjs/locale/de.js";
import { DateTime, Interval } from "luxon";
import { addMonths, formatISO, intervalToDuration, parse } from "date-fns";
import { de } from "date-fns/locale";
import { format } from "date-fns";
import ms from "ms";
import { Temporal } from "@js-temporal/polyfill";

dayjs.extend(utc);
dayjs.extend(timezone);

export const handler = async () => [
  dayjs.tz("2026-03-29 01:30", "Europe/Berlin").add(1, "hour").format(),
  dayjs("2026-01-05").locale("de").format("dddd, D. MMMM YYYY"),
  DateTime.fromISO("2026-10-25T02:30", { zone: "America/New_York" })
    .setLocale("fr")
    .toLocaleString(DateTime.DATETIME_FULL),
  Interval.fromISO("2026-01-01/P1M").length("days"),
  formatISO(addMonths(new Date(0), 1)),
  intervalToDuration({ start: 0, end: 90061000 }),
  format(parse("5.1.2026", "d.M.yyyy", new Date(0)), "EEEE", { locale: de }),
  ms("2 days"),
  Temporal.ZonedDateTime.from("2026-03-29T01:30[Europe/Berlin]").add({ hours: 1 }).toString(),
];
