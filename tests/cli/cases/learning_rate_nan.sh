cornu train mnist --learning-rate nan
