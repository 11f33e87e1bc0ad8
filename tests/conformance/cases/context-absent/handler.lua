return {
  handler = function(event, context)
    return {
      context.tenant_id ~= nil,
      context.client_context ~= nil,
      context.w3c ~= nil,
    }
  end,
}
