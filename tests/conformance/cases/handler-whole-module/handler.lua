return function(event)
  return event * event
end
