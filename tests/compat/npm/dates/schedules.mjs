// cron-parser, rrule: the next times of schedules
import { CronExpressionParser } from "cron-parser";
import rrule from "rrule";

export const handler = async () => {
  const cron = CronExpressionParser.parse("*/20 4 * * 1", { currentDate: new Date(0), tz: "Europe/Berlin" });
  return [
    cron.take(3).map((date) => date.toISOString()),
    new rrule.RRule({ freq: rrule.RRule.WEEKLY, dtstart: new Date(0), count: 3, byweekday: [rrule.RRule.FR] }).all(),
  ];
};
