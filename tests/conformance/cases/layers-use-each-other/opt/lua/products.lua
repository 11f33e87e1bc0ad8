return {
  multiply = function(a, b)
    return a * b
  end,
}
