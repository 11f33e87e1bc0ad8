# Counts the words of the event's text: `handler` is called, because the handler's name is words.handler.
handler() {
    tr -d '"' | tr -s ' ' '\n' | sort | uniq -c | awk '{ printf "%s %d\n", $2, $1 }'
}
