small_mnist digits 600 100
digest() { cornu train ./digits --layers 16:relu,10:softmax --epochs 1 --quiet --json "$@" | grep -o '"weights_sha256": "[0-9a-f]*"'; }
one=$(digest --optimizer sgd --learning-rate 0.1 --momentum 0.9)
[ -n "$one" ] || exit 1
[ "$one" = "$(digest --optimizer 'sgd(learning_rate=0.1, momentum=0.9)')" ] || exit 2
[ "$one" = "$(digest --optimizer 'sgd(momentum=0.9)' --learning-rate 0.1)" ] || exit 3
[ "$one" != "$(digest --optimizer sgd --learning-rate 0.1)" ] || exit 4
