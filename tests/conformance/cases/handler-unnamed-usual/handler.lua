return {
  lambda_handler = function()
    return "lambda_handler"
  end,
  handler = function()
    return "handler"
  end,
}
