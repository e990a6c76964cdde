# Ctrl-C with a checkpoint: --resume goes on from the batch where training stood.
small_mnist digits 600 100
job=(./digits --layers 16:relu,10:softmax --epochs 150 --threads 1 --checkpoint state --quiet --json)
digest() { grep -o '"weights_sha256": "[0-9a-f]*"' "$1"; }
cornu train "${job[@]}" >whole || exit 1
rm state
exec 2>/dev/null
set -m
cornu train "${job[@]}" 2>sentence >/dev/null &
until [ -f state ]; do sleep 0.01; done
kill -INT $!
wait $!
grep -c 'interrupted: .* --resume goes on' sentence
cornu train "${job[@]}" --resume >resumed || exit 2
[ "$(digest whole)" = "$(digest resumed)" ] || exit 3
