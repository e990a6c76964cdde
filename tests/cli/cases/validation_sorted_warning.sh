# Labels in ascending order: the last fifth holds the highest classes only.
small_mnist digits 500 50
labels=digits/train-labels-idx1-ubyte
{ head -c 8 $labels; tail -c +9 $labels | od -An -v -tu1 -w1 | sort -n | awk '{ printf "\\x%02x", $1 }' | xargs -0 printf; } >sorted
mv sorted $labels
cornu train ./digits --epochs 1 --quiet --validation-split 0.2 >/dev/null
cornu train ./digits --epochs 1 --quiet --validation-split 0.2 --stratified >/dev/null
