local function multiplied_by(factor)
  return function(event)
    return factor * event
  end
end

return { handler = multiplied_by(3) }
