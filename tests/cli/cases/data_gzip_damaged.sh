mkdir bad; cp "$DATA"/*.gz bad
printf 'damage' | dd of=bad/t10k-labels-idx1-ubyte.gz bs=1 seek=2000 conv=notrunc 2>/dev/null
cornu train ./bad
