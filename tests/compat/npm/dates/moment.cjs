// moment, moment-timezone: formats, languages, zones
const moment = require("moment");
const zoned = require("moment-timezone");
require("moment/locale/fr");

exports.handler = async () => [
  moment.utc(0).locale("en").add(1, "M").format("LLLL"),
  moment.utc(0).locale("fr").format("dddd D MMMM"),
  moment.duration(90, "minutes").locale("en").humanize(),
  zoned.tz("2026-07-01 12:00", "Asia/Tokyo").format(),
];
