cornu trian mnist
