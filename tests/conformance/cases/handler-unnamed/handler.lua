function helper()
  return "the helper"
end

function lambda_handler(event)
  return { taken = event }
end
