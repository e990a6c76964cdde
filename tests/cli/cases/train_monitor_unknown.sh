small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 2 --validation-split 0.5 --reduce-lr 1 --monitor foo --csv log.csv --quiet
status=$?
[ ! -e log.csv ] || echo "training began"
exit $status
