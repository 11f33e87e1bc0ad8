-- The same application in each interface: this one has fetch.

local all = {}
for number = 0, 255 do all[#all + 1] = string.char(number) end

local function chunks(path)
  local number = -1
  return function()
    number = number + 1
    if number == 1 and path == '/late' then error('half an answer') end
    if number < 3 then return 'chunk ' .. number .. '\n' end
  end
end

return {
  fetch = function(request)
    local body = request:text()
    local path = request.path
    if path == '/fail' then error('no answer to this') end
    if path == '/silent' then return nil end
    local headers = { ['set-cookie'] = { 'a=1', 'b=2' }, ['x-kind'] = 'lua' }
    if path == '/stream' or path == '/late' then return { status = 200, headers = headers, body = chunks(path) } end
    if path == '/bytes' then return { status = 201, headers = headers, body = table.concat(all) } end
    local header = request.headers['x-a']
    return {
      status = 201,
      headers = headers,
      body = {
        method = request.method, path = path, mount = request.mount, query = request.query_string, body = body,
        header = header and { header } or {}, scheme = request.scheme, client = request.client,
      },
    }
  end,
}
