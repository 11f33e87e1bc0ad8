local function configure()
  error("no configuration")
end

configure()

return { handler = print }
