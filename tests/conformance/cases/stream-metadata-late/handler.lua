return {
  handler = function(_, context)
    context.write(trine.response { content_type = "application/octet-stream" })
    context.write("one")
    context.write(trine.response { status = 201 })
  end,
}
