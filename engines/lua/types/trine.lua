---@meta trine
-- Types of the module `trine`, for editors that run the Lua language server.

---@class trine.Context
---@field aws_request_id string
---@field invoked_function_arn string?
---@field function_name string?
---@field function_version string?
---@field memory_limit_in_mb string?
---@field log_group_name string?
---@field log_stream_name string?
---@field client_context table?
---@field identity table?
---@field tenant_id string?
---@field trace_id string?
---@field deadline_ms integer
---@field w3c table<string, string>?
---@field get_remaining_time_in_millis fun(...): integer 0 when the time is up, 900000 without a limit
---@field state table<string, any> shared by all functions of the invocation, whatever their language; read it with `pairs`, not `next`
local Context = {}

--- Answers the invocation at once; only in a `before` hook, and once. Works with a colon as well.
---@param response any
function Context.reply(response) end

--- Sends a part of the response and waits for room; only in a handler. Works with a colon as well.
---@param chunk any a string is sent as it is, another value as a line of JSON; a head sets status and headers
---@return true? sent nil when the client is gone
---@return "closed"? reason
function Context.write(chunk) end

--- Asks for the whole of a streamed response; only in `before` and `after` hooks. Works with a colon as well.
function Context.buffer_response() end

--- A handler. A coroutine or a function that it returns gives the response chunk by chunk.
---@alias trine.Handler fun(event: any, context: trine.Context): any

--- The head of a streamed response, made by `trine.response` and sent before the first chunk.
---@class trine.Head

---@class trine.HeadOptions
---@field status integer? from 200 to 599; 200 when absent
---@field headers table<string, string|number>?
---@field cookies string[]? as in `Set-Cookie`
---@field content_type string?

--- A web request, as `fetch` gets it.
---@class trine.Request
---@field method string
---@field scheme "http"|"https"
---@field host string with its port, if any
---@field path string below `mount`, decoded
---@field raw_path string below `mount`, as it was sent
---@field mount string the part of the path that leads to the application
---@field query table<string, string|string[]>
---@field query_string string?
---@field url string
---@field headers table<string, string> by lower-case name, found in any case
---@field client string? the client's address
---@field event table? the event that the request was made of
---@field body string the whole body
local Request = {}

--- Reads bytes of the body, fewer only at its end; the whole rest without a number.
---@param count integer?
---@return string? bytes nil at the end
function Request:read(count) end

---@return fun(): string? pieces as they come in
function Request:chunks() end

---@return string
function Request:text() end

---@return any
function Request:json() end

---@class trine.WebResponse
---@field status integer? from 200; 200 when absent
---@field reason string?
---@field headers table<string, string|number|(string|number)[]>?
---@field cookies string[]? as in `Set-Cookie`
---@field content_type string?
---@field body (string|table|thread|fun(): string?)? a table becomes JSON; a function or a coroutine gives chunks

--- A web application, or what a module with `fetch` returns.
---@class trine.Application
---@field fetch fun(request: trine.Request, context: trine.Context): trine.WebResponse|string|integer

---@class trine.WsapiInput
---@field length integer
local WsapiInput = {}

---@param count integer?
---@return string? bytes nil at the end
function WsapiInput:read(count) end

--- What a WSAPI application gets: CGI's variables, of which none is nil.
---@class trine.WsapiEnvironment
---@field [string] string
---@field input trine.WsapiInput
---@field error file*

---@class trine.WsapiApplication
---@field run fun(wsapi_env: trine.WsapiEnvironment): integer|string, table<string, string|number|(string|number)[]>?, fun(): string?

--- What an `error` hook gets when another language, or the runtime, has raised the error.
---@class trine.Error
---@field type string
---@field message string
---@field stack string[]?

--- What a middleware may return.
---@class trine.Middleware
---@field init fun(context: trine.Context)?
---@field before (fun(event: any, context: trine.Context): any)? nil keeps the event
---@field after (fun(response: any, context: trine.Context): any)? nil keeps the response
---@field error (fun(err: any, context: trine.Context): any, any)? a response; or nil and an error in place of `err`; or nil
---@field timeout fun(context: trine.Context)?
---@field shutdown fun(context: trine.Context)?
---@field wrap (fun(handler: trine.Handler): trine.Handler)?

---@class trine.Response
---@field status integer
---@field ok boolean whether `status` is 200 to 299
---@field url string
---@field headers table<string, string> by lower-case name
---@field body string
---@field json fun(self: trine.Response): any

---@class trine.FetchOptions
---@field method string?
---@field headers table<string, string|number>?
---@field body string?
---@field timeout number? seconds

---@alias trine.Level "trace"|"debug"|"info"|"warn"|"error"|"fatal"

---@class trine
---@field null lightuserdata JSON's `null`; from a hook, an explicit `null`
---@field deadline_exceeded table raised once shortly before the deadline; `pcall` catches it
trine = {}

--- What runs around a snapshot of the process (SnapStart).
---@class trine.snapshot
trine.snapshot = {}

--- Has a function called before the snapshot, the latest registration first.
---@generic F
---@param hook F
---@param ... any its arguments
---@return F
function trine.snapshot.register_before_snapshot(hook, ...) end

--- Has a function called in each copy of the process, in the order of registration.
---@generic F
---@param hook F
---@param ... any its arguments
---@return F
function trine.snapshot.register_after_restore(hook, ...) end

---@class trine.json
---@field null lightuserdata
trine.json = {}

---@param value any
---@return string
function trine.json.encode(value) end

---@param text string
---@return any
function trine.json.decode(text) end

--- Marks a table as a JSON array, even when it is empty.
---@param value table?
---@return table
function trine.array(value) end

--- Marks a table as a JSON object, whatever its keys.
---@param value table?
---@return table
function trine.object(value) end

--- Makes the head of a streamed response.
---@param options trine.HeadOptions
---@return trine.Head
function trine.response(options) end

---@param level trine.Level
---@param message any a table is written as JSON
function trine.log(level, message) end

--- Waits; other calls go on.
---@param seconds number
function trine.sleep(seconds) end

--- Sends an HTTP request and waits for the whole response; raises when there is none.
---@param url string
---@param options trine.FetchOptions?
---@return trine.Response
function trine.fetch(url, options) end

return trine
