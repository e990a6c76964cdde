# A checkpoint is not written over by a training that begins anew.
small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 1 --checkpoint state --quiet >/dev/null || exit 7
before=$(sha256sum state)
cornu train ./digits --layers 16:relu,10:softmax --epochs 1 --checkpoint state --quiet
status=$?
[ "$before" = "$(sha256sum state)" ] || exit 8
exit $status
