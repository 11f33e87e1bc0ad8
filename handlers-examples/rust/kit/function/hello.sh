# The event is on standard input, what is printed is the answer.
read -r event
printf 'hello from sh: %s\n' "$event"
