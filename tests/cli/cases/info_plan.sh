small_mnist digits 60 10 || exit 9
cornu train ./digits --layers 32:relu,10:softmax --epochs 1 --quiet --output m.safetensors >/dev/null 2>&1
cornu info --plan m.safetensors ./digits --threads 1 --batch-size 16
echo ---
CORNU_ISA=c cornu info --plan m.safetensors --threads 1 --batch-size 16
echo ---
cornu info --plan m.safetensors --precision mixed_bfloat16 --isa c --threads 1 | grep ^bfloat16
echo ---
cornu info --plan m.safetensors --json 2>&1; echo $?
cornu info mnist 2>&1; echo $?
