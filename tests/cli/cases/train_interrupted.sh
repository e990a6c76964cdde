# One Ctrl-C: training ends after the batch, the result is tested and saved. (set -m: a background job that can be
# interrupted.)
small_mnist digits 600 100
exec 2>/dev/null
set -m
cornu train ./digits --layers 16:relu,10:softmax --epochs 1000000 --output model.safetensors --quiet 2>sentence >results &
sleep 1
kill -INT $!
wait $!
status=$?
grep -c 'interrupted' sentence
grep -c 'test accuracy' results
cornu summary model.safetensors >/dev/null || exit 7
exit $status
