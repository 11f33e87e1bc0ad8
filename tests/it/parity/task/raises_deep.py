import helper

helper.fail("deep at import")
