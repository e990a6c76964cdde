script -qec 'cornu show mnist --count 1' typescript >/dev/null
grep -q $'\033' typescript || exit 3
NO_COLOR=1 script -qec 'cornu show mnist --count 1' typescript >/dev/null
grep -q $'\033' typescript && exit 4
exit 0
