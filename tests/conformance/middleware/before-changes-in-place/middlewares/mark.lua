return {
  before = function(event)
    table.insert(event.list, "marked")
    event.marked = { by = "before" }
  end,
}
