for command in train evaluate predict summary show data info; do
    cornu help $command >one || exit 1
    cornu $command --help >two || exit 2
    cmp one two || exit 3
    grep -q '^Examples:' one || exit 4
    awk 'length > 80 { print; wide = 1 } END { exit wide }' one || exit 5
done
cornu --help | awk 'length > 80 { print; wide = 1 } END { exit wide }' || exit 6
