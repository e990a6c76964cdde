# Every option that a command has stands in the manual, and every option of the manual is known to a command.
for command in train evaluate predict summary show data info; do
    cornu help $command | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p'
done | sort -u >in_help
sed 's/\\-/-/g' "$SOURCE/man/cornu.1" | grep -o 'Fl -[a-z][a-z-]*' | sed 's/Fl -//' | sort -u >in_manual
grep -c . in_help | grep -qv '^0$' || exit 1
diff in_help <(grep -v '^version$' in_manual)
