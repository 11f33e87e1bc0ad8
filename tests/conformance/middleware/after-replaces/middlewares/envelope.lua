return {
  after = function(response)
    return { body = response }
  end,
}
