local checks = {}

function checks.check(number)
  if number < 0 then
    error("negative")
  end
  return number
end

return checks
