return { handler = function(event) return event end }
