mkdir cut; cp "$DATA"/*.gz cut
head -c 100000 "$DATA/train-images-idx3-ubyte.gz" >cut/train-images-idx3-ubyte.gz
cornu train ./cut
