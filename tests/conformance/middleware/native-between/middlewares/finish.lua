return {
  after = function(response)
    return response.add(1)
  end,
}
