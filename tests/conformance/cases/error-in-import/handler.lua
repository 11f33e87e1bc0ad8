local checks = require("checks")

return { handler = checks.check }
