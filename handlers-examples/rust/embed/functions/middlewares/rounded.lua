-- Around every rule, whatever language it is written in: nobody pays single cents.
return {
  after = function(price)
    if type(price) == "table" and price.total then
      price.total = price.total - price.total % 5
      return price
    end
  end,
}
