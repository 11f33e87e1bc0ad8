local products = require("products")

return {
  square = function(number)
    return products.multiply(number, number)
  end,
}
