cornu data mnist --json
