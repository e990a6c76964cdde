small_mnist digits 600 100
digest() { cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --quiet --json "$@" | grep -o '"weights_sha256": "[0-9a-f]*"'; }
[ -n "$(digest --seed 1)" ] || exit 1
[ "$(digest --seed 1)" = "$(digest --seed 1)" ] || exit 2
[ "$(digest --seed 1)" != "$(digest --seed 2)" ] || exit 3
[ "$(digest --seed 1 --threads 1)" = "$(digest --seed 1 --threads 3)" ] || exit 4
[ "$(digest --seed 1)" = "$(digest --seed 1 --isa c)" ] || exit 5
