return {
  handler = function(_, context)
    context.write(trine.response {
      status = 201,
      headers = { ["X-Kind"] = "made" },
      cookies = { "a=b", "c=d; HttpOnly" },
      content_type = "text/html",
    })
    context.write("<p>")
    context.write("made")
  end,
}
