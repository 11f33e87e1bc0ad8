local counter = { count = 0 }

function counter.increment()
  counter.count = counter.count + 1
  return counter.count
end

return counter
