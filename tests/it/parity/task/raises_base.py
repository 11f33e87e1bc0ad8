raise BaseException("base at import")
