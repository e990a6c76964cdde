cornu
