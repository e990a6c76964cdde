# Killed at ten random moments and resumed each time: the same bits and the same logs as in one go.
small_mnist digits 600 100
job=(./digits --layers 16:relu,10:softmax --epochs 40 --validation-split 0.2 --early-stopping 30 --restore-best
     --threads 2 --optimizer adam --quiet --json)
digest() { grep -o '"weights_sha256": "[0-9a-f]*"' "$1"; }
set -m
cornu train "${job[@]}" --csv whole.csv >whole || exit 1
for moment in 08 03 11 05 02 13 07 04 09 06; do
    cornu train "${job[@]}" --csv killed.csv --checkpoint state --checkpoint-every 2 --resume >/dev/null 2>&1 &
    sleep 0.$moment
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
done 2>/dev/null
cornu train "${job[@]}" --csv killed.csv --checkpoint state --checkpoint-every 2 --resume >resumed || exit 1
[ "$(digest whole)" = "$(digest resumed)" ] && [ -n "$(digest whole)" ] || exit 2
cmp whole.csv killed.csv || exit 3
# The checkpoint is a model, too, and training is over: resuming again gives the result at once.
cornu summary state >/dev/null || exit 4
cornu train "${job[@]}" --csv killed.csv --checkpoint state --checkpoint-every 2 --resume >again || exit 5
[ "$(digest whole)" = "$(digest again)" ] || exit 6
