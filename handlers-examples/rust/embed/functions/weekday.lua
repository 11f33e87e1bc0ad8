return {
  handler = function(cart)
    local total = 0
    for _, item in ipairs(cart.items) do
      total = total + item.price * item.count
    end
    return { total = total, why = "no rule on weekdays" }
  end,
}
