small_model model.safetensors || exit 9
small_model model.safetensors
cornu evaluate model.safetensors ./digits --quiet --confusion --metrics "accuracy, top_k_categorical_accuracy(k=3)" >out
head -3 out | sed -E 's/[0-9.]+$/N/'
# ten rows of ten counts that add up to the 100 images
tail -10 out | awk '{ if (NF != 11) exit 1; for (i = 2; i <= NF; i++) sum += $i } END { print NR, sum }'
# all rows are as wide as the heading
tail -11 out | awk '{ print length($0) }' | sort -u | wc -l
# JSON holds the same
cornu evaluate model.safetensors ./digits --quiet --confusion --json |
    grep -o '"confusion": .*\]\]' | tr -cd '0-9,\n' | tr ',' '\n' | awk '{ sum += $1 } END { print NR, sum }'
