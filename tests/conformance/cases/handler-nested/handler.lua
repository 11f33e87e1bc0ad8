local api = { users = {} }

function api.users.get(event)
  return { user = event.id }
end

return { api = api }
