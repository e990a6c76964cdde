cornu data mnist
