for command in train evaluate predict summary show data info; do
    cornu help $command >one || exit 1
    cornu $command --help >two || exit 2
    cmp one two || exit 3
    grep -q '^Examples:' one || exit 4
done
