function handler(event)
  return event.n * 2
end
