# On a terminal there is a live bar and, unless NO_COLOR is set, colour.
small_mnist digits 600 100
export COLUMNS=100 LC_ALL=C.UTF-8
script -qec 'cornu train ./digits --layers 16:relu,10:softmax --epochs 2 >/dev/null' typescript >/dev/null
grep -q $'\r' typescript || exit 3
grep -q '━━━━━━━━━━━━━━━━━━━━' typescript || exit 4
grep -q $'\033\\[' typescript || exit 5
