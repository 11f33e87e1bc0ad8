return {
  before = nil,
  after = function(response)
    return { response }
  end,
}
