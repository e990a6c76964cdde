touch model.tmp-1
