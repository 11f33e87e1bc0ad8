return { handler = "a string" }
