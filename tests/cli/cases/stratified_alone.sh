cornu train mnist --stratified
