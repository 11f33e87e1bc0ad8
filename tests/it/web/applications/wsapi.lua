-- The same application in each interface: this one is a WSAPI application.

local all = {}
for number = 0, 255 do all[#all + 1] = string.char(number) end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ('\\u%04x'):format(c:byte()) end) .. '"'
end

local function once(text)
  return function()
    local now = text
    text = nil
    return now
  end
end

return {
  run = function(wsapi_env)
    local path, body = wsapi_env.PATH_INFO, wsapi_env.input:read() or ''
    if path == '/fail' then error('no answer to this') end
    if path == '/silent' then return end
    local headers = { ['Set-Cookie'] = { 'a=1', 'b=2' }, ['X-Kind'] = 'wsapi' }
    if path == '/stream' or path == '/late' then
      local number = -1
      return 200, headers, function()
        number = number + 1
        if number == 1 and path == '/late' then error('half an answer') end
        if number < 3 then return 'chunk ' .. number .. '\n' end
      end
    end
    if path == '/bytes' then return '201 Created', headers, once(table.concat(all)) end
    headers['Content-Type'] = 'application/json'
    local header = wsapi_env.HTTP_X_A
    local seen = ('{"method":%s,"path":%s,"mount":%s,"query":%s,"body":%s,"header":[%s],"client":%s}'):format(
      quoted(wsapi_env.REQUEST_METHOD), quoted(path), quoted(wsapi_env.SCRIPT_NAME), quoted(wsapi_env.QUERY_STRING),
      quoted(body), header ~= '' and quoted(header) or '', quoted(wsapi_env.REMOTE_ADDR))
    return '201 Created', headers, once(seen)
  end,
}
