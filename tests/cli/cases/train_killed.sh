# A signal that ends the process at once leaves no file behind.
small_mnist digits 600 100
exec 2>/dev/null
set -m
cornu train ./digits --layers 16:relu,10:softmax --epochs 1000000 --output model.safetensors --quiet 2>/dev/null &
sleep 0.5
kill -TERM $!
wait $! 2>/dev/null
ls | grep -v '^digits$'
exit 0
