local function storm()
  return ("a"):rep(50):find(("a-"):rep(30) .. "b")
end

return {
  handler = function(event)
    if event == "find" then
      return storm()
    end
    while event == "caught" do
      pcall(storm)
    end
    if event == "gsub" then
      return (("a"):rep(50):gsub(("a*"):rep(30) .. "b", ""))
    end
    return event
  end,
}
