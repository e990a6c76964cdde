small_mnist digits 600 100
# 300 images are 3 batches: two epochs of them, and epochs of 2, 1, 2 and 1, are the same stream.
train() { cornu train ./digits --layers 16:relu,10:softmax --batch-size 100 --validation-split 0.5 --json --quiet "$@" | tail -1; }
digest() { sed 's/.*"weights_sha256": *"\([0-9a-f]*\)".*/\1/'; }
losses() { sed 's/.*"val_loss"/"val_loss"/'; }
whole=$(train --epochs 2 | digest)
[ "$(train --epochs 4 --steps-per-epoch 2 2>/dev/null | digest)" = "$whole" ] || echo "epochs of 2 batches are another stream"
[ "$(train --epochs 2 --steps-per-epoch 2 2>/dev/null | digest)" != "$whole" ] || echo "--steps-per-epoch does nothing"
[ "$(train --epochs 2 --steps-per-epoch 9 | digest)" = "$whole" ] || echo "epochs of at most 9 batches are another stream"
[ "$(train --epochs 1 --validation-steps 1 | losses)" != "$(train --epochs 1 | losses)" ] || echo "--validation-steps does nothing"
