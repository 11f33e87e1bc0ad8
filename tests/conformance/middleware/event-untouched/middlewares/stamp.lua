return {
  after = function(response)
    return response .. " and stamped"
  end,
}
