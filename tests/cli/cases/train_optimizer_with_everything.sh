small_mnist digits 600 100
digest() { cornu train ./digits --epochs 1 --quiet --json "$@" | grep -o '"weights_sha256": "[0-9a-f]*"'; }
layers='dense(16, activation=relu, kernel_regularizer=l2(0.01), kernel_constraint=max_norm(2)),dense(10, activation=softmax)'
optimizer='adam(cosine_decay(0.01, 20), clipnorm=1, weight_decay=0.1, exclude_from_weight_decay=bias, use_ema=true)'
one=$(digest --layers "$layers" --optimizer "$optimizer")
[ -n "$one" ] || exit 1
[ "$one" = "$(digest --layers "$layers" --optimizer "$optimizer" --threads 1)" ] || exit 2
[ "$one" != "$(digest --layers 16:relu,10:softmax --optimizer "$optimizer")" ] || exit 3
[ "$one" != "$(digest --layers "$layers" --optimizer 'adam(0.01)')" ] || exit 4
