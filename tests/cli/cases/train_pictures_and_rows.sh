# flatten before dense is the same network as rows of numbers, and sparse labels are the same as one-hot ones
small_mnist digits 600 100
result() { cornu train ./digits --epochs 2 --quiet --json "$@" | grep -o '"test_loss": [0-9.]*\|"weights_sha256": "[0-9a-f]*"'; }
result --layers 16:relu,10:softmax >one
result --layers 'flatten,dense(16, activation=relu),dense(10, activation=softmax)' >two
result --layers 16:relu,10:softmax --loss sparse_categorical_crossentropy >three
[ -s one ] && cmp one two && cmp one three
