# The event is on standard input and in $EVENT; what is printed is the answer.
printf 'hello from sh: %s\n' "$EVENT"
