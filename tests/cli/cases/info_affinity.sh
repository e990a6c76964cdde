first=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
taskset -c "$first" cornu info --json | grep -o "\"threads\": [0-9]*"
