small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 3 --output model.safetensors 2>progress || { cat progress >&2; exit 2; }
grep -q $'\r' progress && exit 3
grep -q $'\033' progress && exit 4
grep -q $'\b' progress && exit 5
[ $(grep -c '^Epoch .*accuracy: .* loss: ' progress) -eq 3 ] || { cat progress >&2; exit 6; }
[ -s model.safetensors ]
