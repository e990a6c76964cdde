cornu info
