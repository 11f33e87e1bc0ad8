return {
  after = function(response)
    if type(response) == "table" and response.list then
      table.insert(response.list, "stamped")
    end
  end,
}
