cornu data
