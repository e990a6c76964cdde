# With a learning rate of 0 nothing improves: two epochs of patience after the first one.
small_mnist digits 600 100
cornu train ./digits --layers 16:relu,10:softmax --epochs 50 --learning-rate 0 --early-stopping 2 --reduce-lr 1 --no-shuffle \
    --monitor accuracy --csv log.csv --json-lines log.jsonl --save-best 'best/{epoch:02d}.safetensors' --quiet --json |
    grep -o '"stop_reason": "[^"]*"'
head -1 log.csv
wc -l <log.csv
wc -l <log.jsonl
ls best
