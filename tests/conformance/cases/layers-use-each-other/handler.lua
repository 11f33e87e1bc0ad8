local squares = require("squares")

return { handler = squares.square }
