from circular import handler

VALUE = handler
