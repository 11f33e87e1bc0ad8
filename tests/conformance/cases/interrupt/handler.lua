local function endless()
  while true do end
end

return {
  handler = function(event)
    while event == "loop" do end
    while event == "stubborn" do
      pcall(endless)
    end
    return event
  end,
}
