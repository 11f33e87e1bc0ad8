return {
  after = function(response)
    return { outer = response }
  end,
  error = function(err)
    print("outer saw " .. (type(err) == "table" and err.message or tostring(err)))
  end,
}
