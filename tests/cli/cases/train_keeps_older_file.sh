small_mnist digits 20 10
echo precious >model.safetensors
cornu train ./digits --quiet --layers 16:relu,5:softmax --output model.safetensors 2>/dev/null
status=$?
cat model.safetensors
exit $status
